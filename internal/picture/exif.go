package picture

import (
	"bytes"
	"encoding/binary"
)

// orientation reads from a JPEG's EXIF data which way up the picture is; 1 (as stored) if there is no readable value.
func orientation(data []byte) int {
	tiff := exif(data)
	if len(tiff) < 8 {
		return 1
	}
	var bo binary.ByteOrder = binary.LittleEndian
	switch string(tiff[:2]) {
	case "II":
	case "MM":
		bo = binary.BigEndian
	default:
		return 1
	}
	at := uint64(bo.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 1
	}
	count := uint64(bo.Uint16(tiff[at:]))
	for i := range count {
		e := at + 2 + 12*i
		if e+12 > uint64(len(tiff)) {
			return 1
		}
		if bo.Uint16(tiff[e:]) == 0x0112 { // Orientation, one SHORT
			if o := int(bo.Uint16(tiff[e+8:])); o >= 1 && o <= 8 {
				return o
			}
			return 1
		}
	}
	return 1
}

// exif finds the TIFF structure in a JPEG's segments, before its pixels.
func exif(data []byte) []byte {
	for at := 2; at+4 <= len(data) && data[at] == 0xff; {
		marker, size := data[at+1], int(binary.BigEndian.Uint16(data[at+2:]))
		if size < 2 || marker == 0xda || at+2+size > len(data) {
			return nil
		}
		seg := data[at+4 : at+2+size]
		if marker == 0xe1 && bytes.HasPrefix(seg, []byte("Exif\x00\x00")) {
			return seg[6:]
		}
		at += 2 + size
	}
	return nil
}
