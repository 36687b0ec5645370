// SPDX-License-Identifier: Apache-2.0
// gzip and zstd, into memory of a bounded size: what does not fit into RAM is not worth unpacking.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/bits.h"
#include "board/loader.h"

#define CHUNK_FIRST (UINT64_C(1) << 20)

struct output {
	uint8_t *data;
	size_t size, capacity;
	uint64_t max;
};

// Make room for at least one more byte. -EFBIG at the limit.
static int output_grow(struct output *out)
{
	uint64_t capacity;
	uint8_t *data;

	if (out->size < out->capacity) {
		return 0;
	}
	if (out->size >= out->max) {
		return -EFBIG;
	}
	capacity = out->capacity ? (uint64_t)out->capacity * 2 : CHUNK_FIRST;
	capacity = capacity < out->max ? capacity : out->max;
	data = realloc(out->data, capacity);
	if (data == NULL) {
		return -ENOMEM;
	}
	out->data = data;
	out->capacity = capacity;
	return 0;
}

enum compression decompress_recognise(const uint8_t *data, size_t size)
{
	if (size >= 4 && data[0] == 0x1f && data[1] == 0x8b) {
		return COMPRESSION_GZIP;
	}
	if (size >= 4 && memcmp(data, "\x28\xb5\x2f\xfd", 4) == 0) {
		return COMPRESSION_ZSTD;
	}
	return COMPRESSION_NONE;
}

// 0 at the end of the stream; -EINVAL for bad data, -EIO for truncated data.
static int inflate_all(const uint8_t *data, size_t size, struct output *out)
{
	z_stream stream;
	size_t taken = 0;
	int err = 0;
	int status = Z_OK;

	memset(&stream, 0, sizeof(stream));
	if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) {
		return -ENOMEM;
	}
	while (err == 0 && status != Z_STREAM_END) {
		size_t room;

		if (stream.avail_in == 0) {
			size_t run = size - taken < CHUNK_FIRST ? size - taken : CHUNK_FIRST;

			stream.next_in = (Bytef *)(uintptr_t)(data + taken);
			stream.avail_in = (uInt)run;
			taken += run;
		}
		err = output_grow(out);
		if (err != 0) {
			break;
		}
		room = out->capacity - out->size < CHUNK_FIRST ? out->capacity - out->size
							       : CHUNK_FIRST;
		stream.next_out = out->data + out->size;
		stream.avail_out = (uInt)room;
		status = inflate(&stream, Z_NO_FLUSH);
		out->size += room - stream.avail_out;
		if (status == Z_BUF_ERROR || (status == Z_OK && stream.avail_in == 0 &&
					      taken == size && stream.avail_out != 0)) {
			err = -EIO;
		} else if (status != Z_OK && status != Z_STREAM_END) {
			err = status == Z_MEM_ERROR ? -ENOMEM : -EINVAL;
		}
	}
	inflateEnd(&stream);
	return err;
}

static int unzstd_all(const uint8_t *data, size_t size, struct output *out)
{
	ZSTD_DStream *stream = ZSTD_createDStream();
	ZSTD_inBuffer in = {data, size, 0};
	size_t left = 1;
	int err = stream == NULL ? -ENOMEM : 0;

	while (err == 0 && left != 0) {
		ZSTD_outBuffer buffer;

		err = output_grow(out);
		if (err != 0) {
			break;
		}
		buffer = (ZSTD_outBuffer){out->data, out->capacity, out->size};
		left = ZSTD_decompressStream(stream, &buffer, &in);
		if (ZSTD_isError(left)) {
			err = -EINVAL;
		} else if (left != 0 && in.pos == in.size && buffer.pos < buffer.size) {
			err = -EIO;
		}
		out->size = buffer.pos;
	}
	ZSTD_freeDStream(stream);
	return err;
}

int decompress(struct loader *loader, const char *name, enum compression kind, const uint8_t *data,
	       size_t size, uint64_t max, uint8_t **out, size_t *out_size)
{
	const char *format = kind == COMPRESSION_GZIP ? "gzip" : "zstd";
	struct output output = {.max = max};
	int err = kind == COMPRESSION_GZIP ? inflate_all(data, size, &output)
					   : unzstd_all(data, size, &output);

	if (err == 0 && output.size == 0) {
		err = -EINVAL;
	}
	if (err == 0) {
		*out = output.data;
		*out_size = output.size;
		return 0;
	}
	free(output.data);
	switch (err) {
	case -EFBIG:
		return loader_fail(loader, EFBIG,
				   "%s: what is packed in it is bigger than the machine's RAM",
				   name);
	case -EIO:
		return loader_fail(loader, EINVAL, "%s: truncated %s data", name, format);
	case -ENOMEM:
		return loader_fail(loader, ENOMEM, "%s: out of memory", name);
	default:
		return loader_fail(loader, EINVAL, "%s: damaged %s data", name, format);
	}
}
