// Pictures and films made here, with a position and a phone number where phones and programs put them.

import { crc32 } from 'node:zlib';
import { randomBytes } from 'node:crypto';

const be16 = (n) => Buffer.from([n >> 8, n & 255]);
const be32 = (n) => Buffer.from([n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255]);
const le32 = (n) => be32(n).reverse();

// node:zlib has crc32 from 20.15 on.
const table = Array.from({ length: 256 }, (_, n) => {
    for (let k = 0; k < 8; k++)
        n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    return n >>> 0;
});
const crc = crc32 ?? ((bytes) => (bytes.reduce((c, b) => table[(c ^ b) & 255] ^ (c >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0);

// A red pixel, as small as JPEG can be: quantisation, frame, tables, scan.
const pixel = Buffer.from(
    '/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////' +
    'wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA=', 'base64');

// Exif as a phone writes it: which way is up, a description, a position.
export function exif({ orientation = 6, secret = '13800138000' } = {}) {
    const text = Buffer.from(`${secret}\0`);
    const gps = 8 + 2 + 3 * 12 + 4;
    const words = gps + 2 + 12 + 4;
    const entry = (tag, type, n, value) => Buffer.concat([be16(tag), be16(type), be32(n), value]);
    const tiff = Buffer.concat([
        Buffer.from('MM\0*'), be32(8), be16(3),
        entry(0x0112, 3, 1, Buffer.concat([be16(orientation), be16(0)])),
        entry(0x010e, 2, text.length, be32(words)),
        entry(0x8825, 4, 1, be32(gps)), be32(0),
        be16(1), entry(0x0002, 5, 3, be32(words)), be32(0), text,
    ]);
    return Buffer.concat([Buffer.from('Exif\0\0'), tiff]);
}

const segment = (marker, body) => Buffer.concat([Buffer.from([0xff, marker]), be16(body.length + 2), body]);

// filler: how many bytes of comment make it as large as a photo; extra: what a motion photo hides after its end.
export function jpeg({ orientation = 6, secret = '13800138000', scan = 0, noise = '' } = {}) {
    const body = pixel.subarray(2);
    return Buffer.concat([
        pixel.subarray(0, 2),
        segment(0xe1, exif({ orientation, secret })),
        segment(0xe1, Buffer.from(`http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>${secret}</x:xmpmeta>`)),
        segment(0xed, Buffer.from(`Photoshop 3.0\0${secret}`)),
        segment(0xfe, Buffer.from(secret + noise)),
        body,
        // Bytes of a scan: 0xff would be a marker.
        randomBytes(scan).map((b) => (b === 0xff ? 0 : b)),
        Buffer.from([0xff, 0xd9]),
        Buffer.from(`film after the end ${secret}`),
    ]);
}

export function png({ secret = '13800138000' } = {}) {
    const chunk = (name, body) => {
        const named = Buffer.concat([Buffer.from(name), body]);
        return Buffer.concat([be32(body.length), named, be32(crc(named))]);
    };
    return Buffer.concat([
        Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
        chunk('IHDR', Buffer.concat([be32(1), be32(1), Buffer.from([8, 2, 0, 0, 0])])),
        chunk('tEXt', Buffer.from(`Comment\0${secret}`)),
        chunk('eXIf', exif({ secret }).subarray(6)),
        chunk('IDAT', Buffer.from('789c63f8cfc0000003010100c9fe92ef', 'hex')),
        chunk('IEND', Buffer.alloc(0)),
        Buffer.from(secret),
    ]);
}

export function webp({ secret = '13800138000' } = {}) {
    const chunk = (name, body) => Buffer.concat([Buffer.from(name), le32(body.length), body, Buffer.alloc(body.length & 1)]);
    const body = Buffer.concat([
        chunk('VP8X', Buffer.from([0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
        chunk('VP8L', Buffer.from('2f00000000078811f9', 'hex')),
        chunk('EXIF', exif({ secret })),
        chunk('XMP ', Buffer.from(`<x>${secret}</x>`)),
    ]);
    return Buffer.concat([Buffer.from('RIFF'), le32(body.length + 4), Buffer.from('WEBP'), body]);
}

export function mp4({ secret = '13800138000', data = 1000 } = {}) {
    const box = (name, ...parts) => {
        const body = Buffer.concat(parts);
        return Buffer.concat([be32(body.length + 8), Buffer.from(name, 'latin1'), body]);
    };
    return Buffer.concat([
        box('ftyp', Buffer.from('isom\0\0\x02\0isomiso2mp41')),
        box('moov', box('mvhd', Buffer.alloc(100)),
            box('trak', box('tkhd', Buffer.alloc(84)), box('udta', box('name', Buffer.from(secret)))),
            box('udta', box('\xa9xyz', Buffer.from(`\x00\x12\x15\xc7+23.3540+116.6820/${secret}`)))),
        box('uuid', Buffer.from(secret)),
        box('mdat', randomBytes(data)),
    ]);
}

export const pdf = (text = 'hello') => Buffer.from(`%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n% ${text}\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n`);

// A picture that a browser has drawn, with what a phone would have written into it.
export const taken = (drawn, { orientation = 6, secret = '13800138000' } = {}) =>
    Buffer.concat([drawn.subarray(0, 2), segment(0xe1, exif({ orientation, secret })), drawn.subarray(2)]);
