package groups

import (
	"strings"
	"unicode/utf8"
)

// maxJoined is how many parts an emoji has at most: a family has four, a kiss five.
const maxJoined = 6

// isEmoji says whether s is one emoji (UTS #51): a picture with its shade, several joined, a flag or a key. Of the
// letters in circles and squares only the few that are emoji count.
func isEmoji(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	rs := []rune(s)
	for n := 1; n <= maxJoined; n++ {
		used := emojiPart(rs)
		if used == 0 {
			return false
		}
		if rs = rs[used:]; len(rs) == 0 {
			return true
		}
		if rs[0] != zeroWidthJoiner {
			return false
		}
		rs = rs[1:]
	}
	return false
}

const (
	zeroWidthJoiner = 0x200d
	asPicture       = 0xfe0f
	asText          = 0xfe0e
	keycap          = 0x20e3
	cancelTag       = 0xe007f
)

// emojiPart gives how many characters at the beginning of rs are one part of an emoji; 0 if none are.
func emojiPart(rs []rune) int {
	at := func(i int) rune {
		if i < len(rs) {
			return rs[i]
		}
		return 0
	}
	switch c := at(0); {
	case isRegional(c):
		if isRegional(at(1)) && isRegion(c, at(1)) {
			return 2
		}
		return 0
	case c >= '0' && c <= '9' || c == '#' || c == '*':
		if at(1) == keycap {
			return 2
		}
		if at(1) == asPicture && at(2) == keycap {
			return 3
		}
		return 0
	case !isPicture(c):
		return 0
	}
	n := 1
	if at(n) == asPicture || at(n) == asText {
		n++
	}
	if m := at(n); m >= 0x1f3fb && m <= 0x1f3ff { // a shade of skin
		n++
	}
	if at(0) != 0x1f3f4 || at(n) < 0xe0020 || at(n) > 0xe007e {
		return n
	}
	for i := n; i < n+8; i++ { // the flag of a part of a country
		switch t := at(i); {
		case t == cancelTag:
			return i + 1
		case t < 0xe0020 || t > 0xe007e:
			return 0
		}
	}
	return 0
}

func isRegional(c rune) bool { return c >= 0x1f1e6 && c <= 0x1f1ff }

// isRegion says whether two regional letters are a flag.
func isRegion(a, b rune) bool {
	return strings.Contains(regions, string([]rune{' ', a - 0x1f1e6 + 'A', b - 0x1f1e6 + 'A'}))
}

// regions have a flag: those of ISO 3166, and the few that Unicode adds (emoji-sequences.txt, 16.0).
const regions = " " +
	"AC AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW " +
	"BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CP CQ CR CU CV CW CX CY CZ DE DG DJ DK DM DO DZ EA EC EE EG EH ER " +
	"ES ET EU FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU IC ID " +
	"IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA " +
	"MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA " +
	"PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST " +
	"SV SX SY SZ TA TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM UN US UY UZ VA VC VE VG VI VN VU WF " +
	"WS XK YE YT ZA ZM ZW"

// pictures are the blocks that have emoji, without their letters and digits.
var pictures = [][2]rune{
	{0xa9, 0xa9}, {0xae, 0xae}, {0x203c, 0x203c}, {0x2049, 0x2049}, {0x2122, 0x2122},
	{0x2139, 0x2139}, {0x2190, 0x21ff}, {0x231a, 0x231b}, {0x2328, 0x2328}, {0x23cf, 0x23cf},
	{0x23e9, 0x23fa}, {0x24c2, 0x24c2}, {0x25a0, 0x2775}, {0x2794, 0x27bf}, {0x2900, 0x297f},
	{0x2b00, 0x2bff}, {0x3030, 0x3030}, {0x303d, 0x303d}, {0x3297, 0x3297}, {0x3299, 0x3299},
	{0x1f000, 0x1f0ff}, {0x1f170, 0x1f171}, {0x1f17e, 0x1f17f}, {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a},
	{0x1f201, 0x1f202}, {0x1f21a, 0x1f21a}, {0x1f22f, 0x1f22f}, {0x1f232, 0x1f23a}, {0x1f250, 0x1f251},
	{0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f780, 0x1faff},
}

func isPicture(c rune) bool {
	for _, p := range pictures {
		if c >= p[0] && c <= p[1] {
			return true
		}
	}
	return false
}
