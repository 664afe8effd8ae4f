/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shyper trace svg: harts and time as a picture. What is narrower than a pixel is summed up, and
 * so is all of a hart that has too many runs to see, in columns whose heights are shares of their
 * time. So the file stays small and true whatever the recording's length.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/trace_file.h"
#include "verb.h"

#define LEFT 110
#define COLUMNS 1440
#define WIDTH (LEFT + COLUMNS + 40)
#define TOP 96
#define ROW 92
#define BAND 56		/* of planned windows */
#define BAR 34		/* of runs, in the middle of it */
#define STRIP 10	/* of exits, below it */
#define NARROW 1.0	/* pixels: less is summed up */
#define CROWD 480	/* more runs than that on a hart are summed up, all of them, */
#define CELL 8		/* in columns of so many pixels */
#define MARKS 300	/* more wake-ups than that on a hart are not drawn */

/* Okabe and Ito's, which people who see colours differently tell apart; the MVM is grey. */
static const char *const colours[] = {
	"#767676", "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A800",
};
#define COLOURS (sizeof(colours) / sizeof(colours[0]))

struct picture {
	FILE *file;
	const struct trace_file *t;
	uint64_t from, to;	/* ticks: what is shown */
	double ticks;		/* of a pixel */
	double unit;		/* seconds */
	const char *unit_name;
	uint32_t vms;		/* bits: those in the picture */
	bool windows, wakes, exits, lost;	/* are in the picture */
	double y;		/* of the row */
	int cell;		/* pixels of a column there: 1 or CELL */
	bool crowded;		/* some hart is */
};

/* Ticks of each VM in each column. */
typedef double columns[SHYPER_VMS][COLUMNS];

static double x_of(const struct picture *p, uint64_t at)
{
	if (at <= p->from)
		return LEFT;
	return LEFT + (at >= p->to ? COLUMNS : (double)(at - p->from) / p->ticks);
}

static double shown(const struct picture *p, uint64_t at)
{
	return at > p->t->start ? trace_seconds(p->t, at - p->t->start) / p->unit : 0;
}

static void put_text(FILE *file, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<': fputs("&lt;", file); break;
		case '>': fputs("&gt;", file); break;
		case '&': fputs("&amp;", file); break;
		case '"': fputs("&quot;", file); break;
		default: fputc((unsigned char)*text < ' ' ? '?' : *text, file);
		}
	}
}

static void put_vm(const struct picture *p, uint32_t vm)
{
	char buf[32];

	put_text(p->file, trace_vm(p->t, vm, buf, sizeof(buf)));
}

/* Beyond the last colour they come again, hatched. */
static void put_fill(const struct picture *p, uint32_t vm)
{
	if (vm < COLOURS)
		fprintf(p->file, "fill=\"%s\"", colours[vm]);
	else
		fprintf(p->file, "fill=\"url(#h%u)\"", vm);
}

/* --- Columns --------------------------------------------------------------------------------- */

static void add_columns(const struct picture *p, double *column, uint64_t from, uint64_t to)
{
	double at = (x_of(p, from) - LEFT) / p->cell, end = (x_of(p, to) - LEFT) / p->cell;

	while (at < end && at * p->cell < COLUMNS) {
		double next = fmin(floor(at) + 1, end);

		column[(int)at] += next - at;
		at = next;
	}
}

/* What was summed up, from the bottom upwards: a path for each VM. */
static void put_columns(const struct picture *p, columns c, double y, double height,
			const char *class, const char *what)
{
	double *base = calloc(COLUMNS, sizeof(*base));

	for (uint32_t vm = 0; vm < SHYPER_VMS; vm++) {
		bool any = false;

		for (int i = 0; i < COLUMNS; i++) {
			double h = fmin(c[vm][i], 1) * height;

			if (h < 0.05)
				continue;
			if (!any) {
				fprintf(p->file, "<path class=\"%s\" ", class);
				put_fill(p, vm);
				fputs(" d=\"", p->file);
			}
			any = true;
			fprintf(p->file, "M%d %.1fh%dv-%.1fh-%dz", LEFT + i * p->cell,
				y + height - base[i], p->cell, h, p->cell);
			base[i] += h;
		}
		if (!any)
			continue;
		fputs("\"><title>", p->file);
		put_vm(p, vm);
		fprintf(p->file, ": %s\n(the height is its share)</title></path>\n", what);
	}
	free(base);
}

/* --- A hart ---------------------------------------------------------------------------------- */

static bool is_narrow(const struct picture *p, uint64_t from, uint64_t to)
{
	return p->cell > 1 || x_of(p, to) - x_of(p, from) < NARROW;
}

static void put_box(struct picture *p, const char *class, uint32_t vm, uint64_t from, uint64_t to,
		    double y, double height)
{
	double x = x_of(p, from);

	p->vms |= 1u << vm;
	fprintf(p->file, "<rect class=\"%s\" ", class);
	put_fill(p, vm);
	fprintf(p->file, " x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\"><title>", x, y,
		x_of(p, to) - x, height);
	put_vm(p, vm);
}

static void put_span(const struct picture *p, uint64_t from, uint64_t to)
{
	fprintf(p->file, "\n%.4f to %.4f %s: %.1f µs</title></rect>\n", shown(p, from),
		shown(p, to), p->unit_name, 1e6 * trace_seconds(p->t, to - from));
}

static void put_windows(struct picture *p, const struct trace_hart *hart)
{
	double (*narrow)[COLUMNS] = calloc(1, sizeof(columns));

	for (size_t i = 0; i < hart->count; i++) {
		const struct shyper_trace_record *r = &hart->record[i];
		uint64_t end = r->data + r->value;

		if (r->event != SHYPER_TRACE_WINDOW || r->vm == SHYPER_TRACE_NOBODY ||
		    end <= p->from || r->data >= p->to)
			continue;
		p->windows = true;
		if (is_narrow(p, r->data, end)) {
			p->vms |= 1u << r->vm;
			add_columns(p, narrow[r->vm], r->data, end);
			continue;
		}
		put_box(p, "window", r->vm, r->data, end, p->y, BAND);
		fprintf(p->file, ", planned window of vCPU %u", r->vcpu);
		put_span(p, r->data, end);
	}
	put_columns(p, narrow, p->y, BAND, "plan", "planned windows");
	free(narrow);
}

/* Its name, where there is room for it. */
static void put_label(const struct picture *p, const struct trace_run *run, double y)
{
	double from = x_of(p, run->from), to = x_of(p, run->to);
	char buf[32];

	if (to - from < 14 + 7.5 * (double)strlen(trace_vm(p->t, run->vm, buf, sizeof(buf))))
		return;
	fprintf(p->file, "<text class=\"label\" x=\"%.1f\" y=\"%.1f\">", (from + to) / 2, y);
	put_vm(p, run->vm);
	fputs("</text>\n", p->file);
}

static void put_runs(struct picture *p, const struct trace_hart *hart,
		     const struct trace_run *run, size_t count)
{
	double (*narrow)[COLUMNS] = calloc(1, sizeof(columns));
	double y = p->y + (BAND - BAR) / 2.0;

	for (size_t i = 0; i < count; i++) {
		if (run[i].to <= p->from || run[i].from >= p->to || run[i].vm >= SHYPER_VMS)
			continue;
		p->vms |= 1u << run[i].vm;
		if (is_narrow(p, run[i].from, run[i].to)) {
			add_columns(p, narrow[run[i].vm], run[i].from, run[i].to);
			continue;
		}
		put_box(p, "run", run[i].vm, run[i].from, run[i].to, y, BAR);
		fprintf(p->file, " vCPU %u on hart %" PRIu64, run[i].vcpu, hart->hartid);
		put_span(p, run[i].from, run[i].to);
		put_label(p, &run[i], y + BAR / 2.0 + 4.5);
	}
	put_columns(p, narrow, y, BAR, "sum", "runs that are too short to be drawn");
	free(narrow);
}

static void put_exits(struct picture *p, const struct trace_hart *hart)
{
	double *column = calloc(COLUMNS, sizeof(*column));
	bool any = false;

	p->cell = 1;
	for (size_t i = 0; i < hart->count; i++) {
		const struct shyper_trace_record *r = &hart->record[i];

		if (r->event == SHYPER_TRACE_EXIT && r->time > p->from &&
		    r->time - r->value < p->to)
			add_columns(p, column, r->time - r->value, r->time + 1);
	}
	for (int i = 0; i < COLUMNS; i++) {
		if (column[i] <= 0)
			continue;
		fprintf(p->file, "%sM%d %.1fh1v%.1fh-1z", any ? "" : "<path class=\"exits\" d=\"",
			LEFT + i, p->y + BAND + 2, fmax(1.5, fmin(column[i], 1) * STRIP));
		any = true;
	}
	if (any)
		fputs("\"><title>exits: time in Shyper\n(a full height is all of it)</title>"
		      "</path>\n", p->file);
	p->exits |= any;
	free(column);
}

static void put_wakes(struct picture *p, const struct trace_hart *hart)
{
	size_t count = 0;

	for (int draw = 0; draw < 2 && count <= MARKS; draw++) {
		for (size_t i = 0; i < hart->count; i++) {
			const struct shyper_trace_record *r = &hart->record[i];

			if (r->event != SHYPER_TRACE_WAKE || r->time < p->from || r->time > p->to ||
			    r->vm >= SHYPER_VMS)
				continue;
			count += !draw;
			if (!draw)
				continue;
			p->wakes = true;
			fprintf(p->file, "<path class=\"wake\" ");
			put_fill(p, r->vm);
			fprintf(p->file, " d=\"M%.2f %.1fl-4 -8h8z\"><title>",
				x_of(p, r->time), p->y);
			put_vm(p, r->vm);
			fprintf(p->file, " vCPU %u wakes:%s%s%s\n%.4f %s</title></path>\n", r->vcpu,
				r->value & 1 << 5 ? " timer" : "", r->value & 1 << 9 ?
				" external interrupt" : "", r->value & 1 << 1 ?
				" software interrupt" : "", shown(p, r->time), p->unit_name);
		}
	}
}

static void put_gaps(struct picture *p, const struct trace_hart *hart)
{
	for (size_t i = 0; i < hart->gaps; i++) {
		size_t at = hart->gap[i];
		uint64_t from = at ? hart->record[at - 1].time : p->t->start;
		uint64_t to = at < hart->count ? hart->record[at].time : p->t->end;

		if (to < p->from || from > p->to)
			continue;
		p->lost = true;
		fprintf(p->file, "<rect class=\"lost\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" "
			"height=\"%d\"><title>records were lost", x_of(p, from), p->y,
			fmax(1, x_of(p, to) - x_of(p, from)), BAND);
		put_span(p, from, to);
	}
}

static bool is_crowded(const struct picture *p, const struct trace_run *run, size_t count)
{
	size_t seen = 0;

	for (size_t i = 0; i < count; i++)
		seen += run[i].to > p->from && run[i].from < p->to;
	return seen > CROWD;
}

static void put_hart(struct picture *p, const struct trace_hart *hart)
{
	size_t count;
	struct trace_run *run = trace_runs(p->t, hart, &count);

	p->cell = is_crowded(p, run, count) ? CELL : 1;
	p->crowded |= p->cell > 1;
	fprintf(p->file, "<g><text class=\"hart\" x=\"%d\" y=\"%.1f\">hart %" PRIu64 "</text>\n"
		"<rect class=\"ground\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%d\"/>\n",
		LEFT - 14, p->y + BAND / 2.0 + 5, hart->hartid, LEFT, p->y, COLUMNS, BAND);
	put_windows(p, hart);
	put_runs(p, hart, run, count);
	free(run);
	put_exits(p, hart);
	put_wakes(p, hart);
	put_gaps(p, hart);
	fputs("</g>\n", p->file);
}

/* --- Around them ----------------------------------------------------------------------------- */

static void put_axis(const struct picture *p, double bottom)
{
	double span = trace_seconds(p->t, p->to - p->from) / p->unit, first = shown(p, p->from);
	double rough = span / 12, step = pow(10, floor(log10(rough)));
	double last = first + span * (1 + 1e-9);
	int digits;

	step *= rough / step > 5 ? 10 : rough / step > 2 ? 5 : rough / step > 1 ? 2 : 1;
	digits = step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;
	fputs("<g class=\"axis\">\n", p->file);
	for (double i = fabs(ceil(first / step - 1e-6)); i * step <= last; i++) {
		double x = LEFT + (i * step - first) / span * COLUMNS;

		fprintf(p->file, "<path d=\"M%.2f %dV%.1f\"/>"
			"<text x=\"%.2f\" y=\"%.1f\">%.*f</text>\n", x, TOP - 14, bottom, x,
			bottom + 18, digits, i * step);
	}
	fprintf(p->file, "<text class=\"unit\" x=\"%d\" y=\"%.1f\">%s since the recording began"
		"</text>\n</g>\n", LEFT + COLUMNS / 2, bottom + 42,
		p->unit == 1 ? "seconds" : p->unit < 1e-4 ? "microseconds" : "milliseconds");
}

static double put_sign(const struct picture *p, double x, const char *sign, const char *text)
{
	fprintf(p->file, "<g transform=\"translate(%.0f 50)\">%s<text x=\"26\" y=\"12\">", x, sign);
	put_text(p->file, text);
	fputs("</text></g>\n", p->file);
	return x + 50 + 7.5 * (double)strlen(text);
}

static void put_legend(const struct picture *p)
{
	double x = LEFT;
	char sign[128], buf[32];

	for (uint32_t vm = 0; vm < SHYPER_VMS; vm++) {
		if (!(p->vms >> vm & 1))
			continue;
		if (vm < COLOURS)
			snprintf(sign, sizeof(sign), "<rect width=\"18\" height=\"14\" rx=\"2\" "
				 "fill=\"%s\"/>", colours[vm]);
		else
			snprintf(sign, sizeof(sign), "<rect width=\"18\" height=\"14\" rx=\"2\" "
				 "fill=\"url(#h%u)\"/>", vm);
		x = put_sign(p, x, sign, trace_vm(p->t, vm, buf, sizeof(buf)));
	}
	if (p->windows)
		x = put_sign(p, x, "<rect class=\"window\" width=\"18\" height=\"14\" "
			     "fill=\"#555\"/>", "planned window");
	if (p->wakes)
		x = put_sign(p, x, "<path fill=\"#555\" d=\"M9 12l-5 -9h10z\"/>", "wake-up");
	if (p->exits)
		x = put_sign(p, x, "<rect class=\"exits\" y=\"4\" width=\"18\" height=\"8\"/>",
			     "exits: time in Shyper");
	if (p->lost)
		put_sign(p, x, "<rect class=\"lost\" width=\"18\" height=\"14\"/>", "records lost");
}

static void put_head(const struct picture *p, double height, const char *name)
{
	fprintf(p->file, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" "
		"width=\"%d\" height=\"%.0f\" font-family=\"system-ui, 'DejaVu Sans', sans-serif\" "
		"font-size=\"13\">\n<title>", WIDTH, height, WIDTH, height);
	put_text(p->file, name);
	fputs("</title>\n<style>\n"
	      "svg { background: #fff } text { fill: #222 }\n"
	      ".head { font-size: 17px; font-weight: 600 }\n"
	      ".hart { text-anchor: end; font-weight: 600 } .ground { fill: #f4f4f2 }\n"
	      ".window, .plan { opacity: .3 }\n"
	      ".window { stroke: #000; stroke-width: .6; stroke-opacity: .8 }\n"
	      ".run { stroke: #fff; stroke-width: .3 }\n"
	      ".run:hover { stroke: #000; stroke-width: 1.5 }\n"
	      ".exits { fill: #333 } .wake { stroke: #fff; stroke-width: .5 }\n"
	      ".label { fill: #fff; text-anchor: middle; pointer-events: none; font-weight: 600;\n"
	      "\tpaint-order: stroke; stroke: #000; stroke-opacity: .45; stroke-width: 2px }\n"
	      ".lost { fill: url(#lost); stroke: #a00 }\n"
	      ".axis path { stroke: #bbb; stroke-width: .7 } .axis text { text-anchor: middle }\n"
	      "</style>\n<defs>\n"
	      "<pattern id=\"lost\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
	      "patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" fill=\"#fff\"/>"
	      "<path d=\"M0 0v6\" stroke=\"#a00\" stroke-width=\"3\"/></pattern>\n", p->file);
	for (uint32_t vm = COLOURS; vm < SHYPER_VMS; vm++)
		fprintf(p->file, "<pattern id=\"h%u\" width=\"5\" height=\"5\" "
			"patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect "
			"width=\"5\" height=\"5\" fill=\"%s\"/><path d=\"M0 0v5\" stroke=\"#fff\" "
			"stroke-width=\"2\"/></pattern>\n", vm, colours[vm % COLOURS]);
	fprintf(p->file, "</defs>\n<rect width=\"%d\" height=\"%.0f\" fill=\"#fff\"/>\n"
		"<text class=\"head\" x=\"%d\" y=\"32\">", WIDTH, height, LEFT);
	put_text(p->file, name);
	fprintf(p->file, ": %.7g to %.7g %s</text>\n", shown(p, p->from), shown(p, p->to),
		p->unit_name);
}

static void put_all(struct picture *p, const char *name)
{
	uint32_t harts = 0;
	double bottom;

	for (uint32_t i = 0; i < p->t->harts; i++)
		harts += p->t->hart[i].there;
	bottom = TOP + ROW * (double)harts;
	put_head(p, bottom + 64, name);
	put_axis(p, bottom);
	p->y = TOP;
	for (uint32_t i = 0; i < p->t->harts; i++) {
		if (!p->t->hart[i].there)
			continue;
		put_hart(p, &p->t->hart[i]);
		p->y += ROW;
	}
	put_legend(p);
	if (p->crowded)
		fprintf(p->file, "<text x=\"%d\" y=\"32\" text-anchor=\"end\">heights are shares "
			"of %.3g %s; --from and --to show single runs</text>\n", LEFT + COLUMNS,
			trace_seconds(p->t, (p->to - p->from) / (COLUMNS / CELL)) / p->unit,
			p->unit_name);
	fputs("</svg>\n", p->file);
}

/* --- The verb -------------------------------------------------------------------------------- */

/* Seconds since the recording began, as ticks. */
static int read_time(struct session *s, const json_t *args, const char *key,
		     const struct trace_file *t, uint64_t *out)
{
	const char *text = json_string_value(json_object_get(args, key));
	double seconds, length = trace_seconds(t, t->end - t->start);
	char *end;

	if (!text)
		return 0;
	seconds = strtod(text, &end);
	s->error.usage = true;
	if (end == text || *end || !(seconds >= 0) || seconds > length)
		return error_set(&s->error, "--%s %s is not possible; the recording has %.6f s",
				 key, text, length);
	s->error.usage = false;
	*out = t->start + (uint64_t)(seconds * (double)t->timebase);
	return 0;
}

static int set_span(struct session *s, const json_t *args, struct picture *p)
{
	double seconds;

	p->from = p->t->start;
	p->to = p->t->end;
	if (read_time(s, args, "from", p->t, &p->from) || read_time(s, args, "to", p->t, &p->to))
		return -1;
	if (p->to <= p->from) {
		s->error.usage = true;
		return error_set(&s->error, "nothing lies between --from and --to");
	}
	p->ticks = (double)(p->to - p->from) / COLUMNS;
	seconds = trace_seconds(p->t, p->to - p->from);
	p->unit = seconds >= 2 ? 1 : seconds >= 2e-3 ? 1e-3 : 1e-6;
	p->unit_name = seconds >= 2 ? "s" : seconds >= 2e-3 ? "ms" : "µs";
	return 0;
}

static int write_picture(struct session *s, struct picture *p, const char *out, const char *name)
{
	bool failed;

	p->file = fopen(out, "we");
	if (!p->file)
		return error_set(&s->error, "%s: %s", out, strerror(errno));
	put_all(p, name);
	failed = ferror(p->file);
	if (!fclose(p->file) && !failed)
		return 0;
	error_set(&s->error, "%s: %s", out, strerror(errno));
	unlink(out);
	return -1;
}

static json_t *op(struct session *s, const json_t *args)
{
	const char *name = json_string_value(json_object_get(args, "file"));
	const char *output = json_string_value(json_object_get(args, "output"));
	const char *base = strrchr(name, '/');
	struct trace_file t;
	struct picture p = { .t = &t };
	char out[4096];
	json_t *result = NULL;

	snprintf(out, sizeof(out), "%s%s", output ? output : name, output ? "" : ".svg");
	if (trace_file_load(&t, name, &s->error))
		return NULL;
	if (!set_span(s, args, &p) && !write_picture(s, &p, out, base ? base + 1 : name))
		result = json_pack("{ss sf sf}", "file", out, "from",
				   trace_seconds(&t, p.from - t.start), "to",
				   trace_seconds(&t, p.to - t.start));
	trace_file_free(&t);
	return result;
}

static void print(const json_t *result)
{
	printf("%s: %.6f s to %.6f s\n", json_string_value(json_object_get(result, "file")),
	       json_real_value(json_object_get(result, "from")),
	       json_real_value(json_object_get(result, "to")));
}

static const struct verb_option options[] = {
	{ "output", 'o', "FILE", "where to (the trace's name and .svg)" },
	{ "from", 0, "SECONDS", "begin there, since the recording began" },
	{ "to", 0, "SECONDS", "end there" },
	{ NULL, 0, NULL, NULL },
};

const struct verb verb_trace_svg = {
	.name = "trace svg",
	.argument = "FILE",
	.key = "file",
	.help = "draw a recorded trace, for any browser",
	.options = options,
	.here = true,
	.op = op,
	.print = print,
};
