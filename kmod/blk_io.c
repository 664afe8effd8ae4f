// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests on their way to the image: a bio for a block device, a kiocb for a file, both in the
 * request itself and on the guest's own pages, so that nothing is allocated or copied here. What
 * may block goes to the disk's work queue.
 */
#include <linux/blkdev.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/uio.h>

#include "blk.h"
#include "kmod.h"

static void may_block(struct blk_request *request)
{
	queue_work(request->disk->blocking, &request->work);
}

static loff_t position(const struct blk_order *order)
{
	return (loff_t)(order->sector * BLK_SECTOR);
}

/* --- Block devices -------------------------------------------------------------------------- */

static void bio_ended(struct bio *bio)
{
	struct blk_request *request = container_of(bio, struct blk_request, bio);
	int err = blk_status_to_errno(bio->bi_status);

	bio_uninit(bio);
	blk_end(request, err);
}

static blk_opf_t operation(const struct blk_request *request)
{
	if (request->order.kind == BLK_READ)
		return REQ_OP_READ;
	if (request->order.kind == BLK_FLUSH)
		return REQ_OP_WRITE | REQ_PREFLUSH;
	return REQ_OP_WRITE | REQ_SYNC | REQ_IDLE | (request->durable ? REQ_FUA : 0);
}

/* However long the request, the block layer cuts it as the device wants it. */
static void start_bio(struct blk_request *request)
{
	struct bio *bio = &request->bio;

	bio_init(bio, request->disk->image.device, request->piece, VQUEUE_SEGMENTS,
		 operation(request));
	bio->bi_iter.bi_sector = request->order.sector;
	bio->bi_end_io = bio_ended;
	if (request->order.kind == BLK_FLUSH) {
		bio->bi_iter.bi_sector = 0;
	} else {
		bio->bi_vcnt = request->pieces;
		bio->bi_iter.bi_size = request->order.bytes;
	}
	submit_bio(bio);
}

static int wipe_device(struct block_device *device, const struct blk_order *order)
{
	sector_t sectors = order->bytes / BLK_SECTOR;

	if (order->kind == BLK_DISCARD)
		return blkdev_issue_discard(device, order->sector, sectors, GFP_NOIO);
	return blkdev_issue_zeroout(device, order->sector, sectors, GFP_NOIO,
				    order->unmap ? 0 : BLKDEV_ZERO_NOUNMAP);
}

/* --- Files ---------------------------------------------------------------------------------- */

/* Fewer bytes than asked for: the file has become shorter, or its file system is full. */
static int outcome(const struct blk_request *request, long result)
{
	if (result < 0)
		return result;
	return result == request->order.bytes ? 0 : -EIO;
}

static void iocb_result(struct blk_request *request, long result)
{
	int err = outcome(request, result);

	/* It would have blocked, perhaps in the middle; then all of it once more. */
	if (err && (request->iocb.ki_flags & IOCB_NOWAIT) && (err == -EAGAIN || result >= 0))
		may_block(request);
	else
		blk_end(request, err);
}

static void iocb_ended(struct kiocb *iocb, long result)
{
	struct blk_request *request = container_of(iocb, struct blk_request, iocb);

	if (request->order.kind == BLK_WRITE)
		kiocb_end_write(iocb);
	iocb_result(request, result);
}

static int iocb_flags_of(const struct blk_image *image, bool durable)
{
	return (image->direct ? IOCB_DIRECT : 0) | (durable ? IOCB_DSYNC : 0);
}

static void start_iocb(struct blk_request *request, int flags)
{
	const struct blk_image *image = &request->disk->image;
	bool write = request->order.kind == BLK_WRITE;
	struct iov_iter iter;
	ssize_t result;

	request->iocb = (struct kiocb){
		.ki_filp = image->file,
		.ki_pos = position(&request->order),
		.ki_flags = iocb_flags_of(image, request->durable) | flags,
		.ki_complete = iocb_ended,
	};
	iov_iter_bvec(&iter, write ? ITER_SOURCE : ITER_DEST, request->piece, request->pieces,
		      request->order.bytes);
	result = write ? vfs_iocb_iter_write(image->file, &request->iocb, &iter) :
			 vfs_iocb_iter_read(image->file, &request->iocb, &iter);
	if (result != -EIOCBQUEUED)
		iocb_result(request, result);
}

static int wipe_file(struct file *file, const struct blk_order *order)
{
	int err = -EOPNOTSUPP;

	if (order->kind == BLK_ZEROES && !order->unmap)
		err = vfs_fallocate(file, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
				    position(order), order->bytes);
	/* A hole reads as zeroes, too. */
	if (err == -EOPNOTSUPP)
		err = vfs_fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    position(order), order->bytes);
	return err;
}

/* --- Both ----------------------------------------------------------------------------------- */

static int wipe(const struct blk_request *request)
{
	const struct blk_image *image = &request->disk->image;

	if (image->device)
		return wipe_device(image->device, &request->order);
	return wipe_file(image->file, &request->order);
}

/* Whoever does not flush finds safe what has ended. */
static int wipe_durably(const struct blk_request *request)
{
	int err = wipe(request);

	if (!err && request->durable)
		err = vfs_fsync(request->disk->image.file, 1);
	return err;
}

void blk_io_work(struct work_struct *work)
{
	struct blk_request *request = container_of(work, struct blk_request, work);

	switch (request->order.kind) {
	case BLK_READ:
	case BLK_WRITE:
		start_iocb(request, 0);
		return;
	case BLK_FLUSH:
		blk_end(request, vfs_fsync(request->disk->image.file, 1));
		return;
	default:
		blk_end(request, wipe_durably(request));
	}
}

void blk_io_start(struct blk_request *request)
{
	const struct blk_image *image = &request->disk->image;
	enum blk_kind kind = request->order.kind;

	if (kind == BLK_FLUSH && image->shape.readonly)
		blk_end(request, 0);
	else if (image->device && (kind == BLK_READ || kind == BLK_WRITE || kind == BLK_FLUSH))
		start_bio(request);
	else if (image->nowait && (kind == BLK_READ || kind == BLK_WRITE))
		start_iocb(request, IOCB_NOWAIT);
	else
		may_block(request);
}

/* --- Copies --------------------------------------------------------------------------------- */

static int copy_device(const struct blk_disk *disk, const struct blk_order *order, u64 offset,
		       struct bio_vec *piece)
{
	bool write = order->kind == BLK_WRITE;
	struct bio bio;
	int err;

	bio_init(&bio, disk->image.device, piece, 1,
		 (write ? REQ_OP_WRITE : REQ_OP_READ) | (write && disk->durable ? REQ_FUA : 0));
	bio.bi_iter.bi_sector = order->sector + offset / BLK_SECTOR;
	bio.bi_vcnt = 1;
	bio.bi_iter.bi_size = piece->bv_len;
	err = submit_bio_wait(&bio);
	bio_uninit(&bio);
	return err;
}

static int copy_file(const struct blk_disk *disk, const struct blk_order *order, u64 offset,
		     struct bio_vec *piece)
{
	const struct blk_image *image = &disk->image;
	bool write = order->kind == BLK_WRITE;
	struct iov_iter iter;
	struct kiocb iocb;
	ssize_t result;

	init_sync_kiocb(&iocb, image->file);
	iocb.ki_flags = iocb_flags_of(image, write && disk->durable);
	iocb.ki_pos = position(order) + (loff_t)offset;
	iov_iter_bvec(&iter, write ? ITER_SOURCE : ITER_DEST, piece, 1, piece->bv_len);
	result = write ? vfs_iocb_iter_write(image->file, &iocb, &iter) :
			 vfs_iocb_iter_read(image->file, &iocb, &iter);
	if (result < 0)
		return result;
	return result == piece->bv_len ? 0 : -EIO;
}

int blk_io_copy(struct blk_disk *disk, const struct blk_order *order, u64 offset, void *data,
		u32 size)
{
	struct bio_vec piece;

	bvec_set_virt(&piece, data, size);
	if (disk->image.device)
		return copy_device(disk, order, offset, &piece);
	return copy_file(disk, order, offset, &piece);
}
