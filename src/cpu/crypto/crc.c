// SPDX-License-Identifier: Apache-2.0
// CRC32 and CRC32C (FEAT_CRC32). The instructions reflect accumulator and value, reduce modulo the
// polynomial and reflect back, which is the usual right-shifting CRC; it is computed a byte a
// table, all tables at once ("slicing").
#include "cpu/crypto/crypto.h"

// Byte b followed by k zero bytes reduces to the sum over b's bits, so eight constants make a
// table.
#define CRC_ENTRY(b, c0, c1, c2, c3, c4, c5, c6, c7) \
	(((b)&1 ? c0 : 0u) ^ ((b)&2 ? c1 : 0u) ^ ((b)&4 ? c2 : 0u) ^ ((b)&8 ? c3 : 0u) ^ \
	 ((b)&16 ? c4 : 0u) ^ ((b)&32 ? c5 : 0u) ^ ((b)&64 ? c6 : 0u) ^ ((b)&128 ? c7 : 0u))
#define CRC_4(b, ...) \
	CRC_ENTRY((b), __VA_ARGS__), CRC_ENTRY((b) + 1, __VA_ARGS__), \
		CRC_ENTRY((b) + 2, __VA_ARGS__), CRC_ENTRY((b) + 3, __VA_ARGS__)
#define CRC_16(b, ...) \
	CRC_4((b), __VA_ARGS__), CRC_4((b) + 4, __VA_ARGS__), CRC_4((b) + 8, __VA_ARGS__), \
		CRC_4((b) + 12, __VA_ARGS__)
#define CRC_64(b, ...) \
	CRC_16((b), __VA_ARGS__), CRC_16((b) + 16, __VA_ARGS__), CRC_16((b) + 32, __VA_ARGS__), \
		CRC_16((b) + 48, __VA_ARGS__)
#define CRC_TABLE(...) \
	CRC_64(0, __VA_ARGS__), CRC_64(64, __VA_ARGS__), CRC_64(128, __VA_ARGS__), \
		CRC_64(192, __VA_ARGS__)

// table[k][b]: byte b with k more bytes to come after it. Polynomial 0x04c11db7.
static const uint32_t crc32_tables[8][256] = {
	{CRC_TABLE(0x77073096, 0xee0e612c, 0x076dc419, 0x0edb8832, 0x1db71064, 0x3b6e20c8,
		   0x76dc4190, 0xedb88320)},
	{CRC_TABLE(0x191b3141, 0x32366282, 0x646cc504, 0xc8d98a08, 0x4ac21251, 0x958424a2,
		   0xf0794f05, 0x3b83984b)},
	{CRC_TABLE(0x01c26a37, 0x0384d46e, 0x0709a8dc, 0x0e1351b8, 0x1c26a370, 0x384d46e0,
		   0x709a8dc0, 0xe1351b80)},
	{CRC_TABLE(0xb8bc6765, 0xaa09c88b, 0x8f629757, 0xc5b428ef, 0x5019579f, 0xa032af3e,
		   0x9b14583d, 0xed59b63b)},
	{CRC_TABLE(0x3d6029b0, 0x7ac05360, 0xf580a6c0, 0x30704bc1, 0x60e09782, 0xc1c12f04,
		   0x58f35849, 0xb1e6b092)},
	{CRC_TABLE(0xcb5cd3a5, 0x4dc8a10b, 0x9b914216, 0xec53826d, 0x03d6029b, 0x07ac0536,
		   0x0f580a6c, 0x1eb014d8)},
	{CRC_TABLE(0xa6770bb4, 0x979f1129, 0xf44f2413, 0x33ef4e67, 0x67de9cce, 0xcfbd399c,
		   0x440b7579, 0x8816eaf2)},
	{CRC_TABLE(0xccaa009e, 0x4225077d, 0x844a0efa, 0xd3e51bb5, 0x7cbb312b, 0xf9766256,
		   0x299dc2ed, 0x533b85da)},
};

// Polynomial 0x1edc6f41.
static const uint32_t crc32c_tables[8][256] = {
	{CRC_TABLE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede,
		   0x417b1dbc, 0x82f63b78)},
	{CRC_TABLE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302,
		   0xff17c604, 0xfbc3faf9)},
	{CRC_TABLE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14,
		   0xc76580d9, 0x8b277743)},
	{CRC_TABLE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b,
		   0xaba65fe7, 0x52a0c93f)},
	{CRC_TABLE(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557,
		   0x37516aae, 0x6ea2d55c)},
	{CRC_TABLE(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d,
		   0x0e045beb, 0x1c08b7d6)},
	{CRC_TABLE(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd,
		   0x7ab7077a, 0xf56e0ef4)},
	{CRC_TABLE(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599,
		   0x1a00cb32, 0x34019664)},
};

static inline uint32_t crc_byte(const uint32_t t[8][256], uint32_t acc, uint8_t value)
{
	return (acc >> 8) ^ t[0][(acc ^ value) & 0xff];
}

static inline uint32_t crc_half(const uint32_t t[8][256], uint32_t acc, uint16_t value)
{
	uint32_t x = acc ^ value;

	return (acc >> 16) ^ t[1][x & 0xff] ^ t[0][(x >> 8) & 0xff];
}

static inline uint32_t crc_word(const uint32_t t[8][256], uint32_t acc, uint32_t value)
{
	uint32_t x = acc ^ value;

	return t[3][x & 0xff] ^ t[2][(x >> 8) & 0xff] ^ t[1][(x >> 16) & 0xff] ^ t[0][x >> 24];
}

static inline uint32_t crc_double(const uint32_t t[8][256], uint32_t acc, uint64_t value)
{
	uint32_t low = acc ^ (uint32_t)value;
	uint32_t high = (uint32_t)(value >> 32);

	return t[7][low & 0xff] ^ t[6][(low >> 8) & 0xff] ^ t[5][(low >> 16) & 0xff] ^
	       t[4][low >> 24] ^ t[3][high & 0xff] ^ t[2][(high >> 8) & 0xff] ^
	       t[1][(high >> 16) & 0xff] ^ t[0][high >> 24];
}

uint32_t crypto_crc32b(uint32_t acc, uint8_t value)
{
	return crc_byte(crc32_tables, acc, value);
}

uint32_t crypto_crc32h(uint32_t acc, uint16_t value)
{
	return crc_half(crc32_tables, acc, value);
}

uint32_t crypto_crc32w(uint32_t acc, uint32_t value)
{
	return crc_word(crc32_tables, acc, value);
}

uint32_t crypto_crc32x(uint32_t acc, uint64_t value)
{
	return crc_double(crc32_tables, acc, value);
}

uint32_t crypto_crc32cb(uint32_t acc, uint8_t value)
{
	return crc_byte(crc32c_tables, acc, value);
}

uint32_t crypto_crc32ch(uint32_t acc, uint16_t value)
{
	return crc_half(crc32c_tables, acc, value);
}

uint32_t crypto_crc32cw(uint32_t acc, uint32_t value)
{
	return crc_word(crc32c_tables, acc, value);
}

uint32_t crypto_crc32cx(uint32_t acc, uint64_t value)
{
	return crc_double(crc32c_tables, acc, value);
}
