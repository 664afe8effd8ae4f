// SPDX-License-Identifier: GPL-2.0-only
/* What a disk's data are kept in: an image file or a block device. */
#include <linux/blkdev.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/stat.h>

#include "blk.h"
#include "kmod.h"

/* --- Block devices -------------------------------------------------------------------------- */

static int open_device(struct blk_image *image, dev_t number, bool readonly, void *holder,
		       struct shyper_refusal *refusal)
{
	blk_mode_t mode = BLK_OPEN_READ | (readonly ? 0 : BLK_OPEN_WRITE);
	struct block_device *device;
	int err;

	image->file = bdev_file_open_by_dev(number, mode, readonly ? NULL : holder, NULL);
	if (IS_ERR(image->file))
		return shyper_refuse(refusal, PTR_ERR(image->file),
				     "the block device cannot be opened alone; is it mounted?");
	device = file_bdev(image->file);
	/* From here on nothing goes through its page cache. */
	err = sync_blockdev(device);
	image->device = device;
	if (err)
		return shyper_refuse(refusal, err, "the block device cannot be written");
	invalidate_bdev(device);
	image->mask = bdev_dma_alignment(device);
	image->shape.block = bdev_logical_block_size(device);
	image->unit = bdev_physical_block_size(device);
	image->shape.sectors = bdev_nr_sectors(device);
	image->shape.discard = !readonly && bdev_max_discard_sectors(device);
	image->shape.zeroes = !readonly;
	image->discard_unit = bdev_discard_granularity(device);
	return 0;
}

/* --- Files ---------------------------------------------------------------------------------- */

/* Direct I/O where the file tells what it takes; else the page cache. */
static void choose_way(struct blk_image *image)
{
	struct kstat stat;

	image->shape.block = BLK_SECTOR;
	if (!(image->file->f_mode & FMODE_CAN_ODIRECT) ||
	    vfs_getattr(&image->file->f_path, &stat, STATX_DIOALIGN, 0) ||
	    !(stat.result_mask & STATX_DIOALIGN) || !stat.dio_mem_align || !stat.dio_offset_align)
		return;
	image->direct = true;
	image->nowait = image->file->f_mode & FMODE_NOWAIT;
	image->mask = stat.dio_mem_align - 1;
	image->shape.block = max(stat.dio_offset_align, BLK_SECTOR);
}

static int open_file(struct blk_image *image, bool readonly, struct shyper_refusal *refusal)
{
	struct inode *inode = file_inode(image->file);

	if (IS_SWAPFILE(inode))
		return shyper_refuse(refusal, -ETXTBSY, "the file is swapped to");
	if (!(image->file->f_mode & FMODE_CAN_READ) ||
	    !(image->file->f_mode & (readonly ? FMODE_CAN_READ : FMODE_CAN_WRITE)))
		return shyper_refuse(refusal, -EINVAL, "no disk can be kept in such a file");
	choose_way(image);
	image->shape.sectors = (u64)i_size_read(inode) / BLK_SECTOR;
	image->unit = max(i_blocksize(inode), image->shape.block);
	image->discard_unit = image->unit;
	image->shape.discard = !readonly && image->file->f_op->fallocate;
	image->shape.zeroes = image->shape.discard;
	return 0;
}

/* --- Both ----------------------------------------------------------------------------------- */

static int open_either(struct blk_image *image, struct file *file, bool readonly, void *holder,
		       struct shyper_refusal *refusal)
{
	struct inode *inode = file_inode(file);

	if (!(file->f_mode & FMODE_READ) || (!readonly && !(file->f_mode & FMODE_WRITE)))
		return shyper_refuse(refusal, -EACCES, "the descriptor is not open for reading%s",
				     readonly ? "" : " and writing");
	if (S_ISBLK(inode->i_mode))
		return open_device(image, inode->i_rdev, readonly, holder, refusal);
	if (!S_ISREG(inode->i_mode))
		return shyper_refuse(refusal, -EINVAL, "neither a file nor a block device");
	image->file = get_file(file);
	return open_file(image, readonly, refusal);
}

int blk_image_open(struct blk_image *image, int fd, bool readonly, void *holder,
		   struct shyper_refusal *refusal)
{
	struct file *file = fget(fd);
	int err;

	*image = (struct blk_image){ .shape.readonly = readonly };
	if (!file)
		return shyper_refuse(refusal, -EBADF, "no such descriptor");
	err = open_either(image, file, readonly, holder, refusal);
	fput(file);
	/* A guest sees whole blocks. */
	image->shape.sectors -= image->shape.sectors % (max(image->shape.block, BLK_SECTOR) /
						       BLK_SECTOR);
	if (!err && !image->shape.sectors)
		err = shyper_refuse(refusal, -EINVAL, "the image is empty");
	if (err)
		blk_image_close(image);
	return err;
}

void blk_image_close(struct blk_image *image)
{
	if (image->device)
		bdev_fput(image->file);
	else if (!IS_ERR_OR_NULL(image->file))
		fput(image->file);
	image->file = NULL;
	image->device = NULL;
}
