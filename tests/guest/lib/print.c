/* SPDX-License-Identifier: BSD-2-Clause */
/* Output on the UART, and input from it, by polling. */
#include <stdarg.h>

#include "guest.h"

#define UART_THR 0
#define UART_LSR 5
#define LSR_DR 0x01
#define LSR_THRE 0x20

void say_char(char c)
{
	while (!(read_u8(UART_BASE + UART_LSR) & LSR_THRE))
		;
	write_u8(UART_BASE + UART_THR, (u8)c);
}

int get_char(unsigned long ms)
{
	if (!WAIT_FOR(read_u8(UART_BASE + UART_LSR) & LSR_DR, ms))
		return -1;
	return read_u8(UART_BASE + UART_THR);
}

static void say_string(const char *s)
{
	for (; *s; s++) {
		if (*s == '\n')
			say_char('\r');
		say_char(*s);
	}
}

static void say_number(unsigned long n, unsigned int base)
{
	char text[24];
	char *at = text + sizeof(text) - 1;

	*at = 0;
	do {
		*--at = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	say_string(at);
}

static void say_signed(long n)
{
	if (n < 0)
		say_char('-');
	say_number(n < 0 ? -(unsigned long)n : (unsigned long)n, 10);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	for (; *fmt; fmt++) {
		bool wide = false;

		if (*fmt != '%') {
			char one[2] = {*fmt, 0};

			say_string(one);
			continue;
		}
		if (*++fmt == 'l') {
			wide = true;
			fmt++;
		}
		switch (*fmt) {
		case 's':
			say_string(va_arg(ap, const char *));
			break;
		case 'c':
			say_char((char)va_arg(ap, int));
			break;
		case 'd':
			say_signed(wide ? va_arg(ap, long) : va_arg(ap, int));
			break;
		case 'u':
			say_number(wide ? va_arg(ap, unsigned long) : va_arg(ap, unsigned int), 10);
			break;
		case 'x':
			say_number(wide ? va_arg(ap, unsigned long) : va_arg(ap, unsigned int), 16);
			break;
		default:
			say_char(*fmt);
		}
	}
	va_end(ap);
}
