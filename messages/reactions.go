package messages

import (
	"slices"
	"strings"
	"unicode"

	"parley/store"
	"parley/wire"
)

// reactionSet reads the emoji of a message with reactions: the whole set of one person, which may be empty.
func reactionSet(e *wire.Element) (set []string) {
	for _, r := range e.Elements() {
		if len(set) >= maxReactions {
			break
		}
		if r.Name.Space != store.NSReactions || r.Name.Local != "reaction" {
			continue
		}
		if s := strings.TrimSpace(r.Text()); IsEmoji(s) && !slices.ContainsFunc(set, func(t string) bool {
			return emojiKey(t) == emojiKey(s)
		}) {
			set = append(set, s)
		}
	}
	return set
}

// maxEmoji is the length of an emoji in bytes: the longest of Unicode has 35.
const maxEmoji = 64

// joiners join pictures, say whether they are in colour, and put a key around a digit.
const joiners = "\u200d\ufe0e\ufe0f\u20e3"

// IsEmoji says whether a text may be shown as one reaction: it is short, and has pictures and what joins and colours
// them, but no letters.
func IsEmoji(s string) bool {
	if s == "" || len(s) > maxEmoji {
		return false
	}
	keycap := strings.ContainsRune(s, '\u20e3')
	picture := keycap
	for _, r := range s {
		switch {
		case strings.ContainsRune(joiners, r), r >= 0xe0020 && r <= 0xe007f: // the last are tags, of flags
		case keycap && (r >= '0' && r <= '9' || r == '#' || r == '*'):
		case r > unicode.MaxASCII && (unicode.In(r, unicode.So, unicode.Sk, unicode.Sm) ||
			strings.ContainsRune("ℹ‼⁉〰", r)):
			picture = true
		default:
			return false
		}
	}
	return picture
}

// emojiKey is the same for an emoji with and without the mark that it is to be shown in colour: clients differ.
func emojiKey(s string) string { return strings.ReplaceAll(s, "\ufe0f", "") }

// reactionsOf counts the newest set of each person. parts are in order of time.
func reactionsOf(parts []*part) (all []Reaction) {
	newest := make(map[string]*part)
	for _, p := range parts {
		if p.is == reacts && p.who != "" {
			newest[p.who] = p
		}
	}
	at := make(map[string]int)
	for _, p := range parts {
		if newest[p.who] != p {
			continue
		}
		for _, s := range p.set {
			i, ok := at[emojiKey(s)]
			if !ok {
				i = len(all)
				at[emojiKey(s)] = i
				all = append(all, Reaction{Emoji: s})
			}
			all[i].By = append(all[i].By, p.m.By)
		}
	}
	return all
}
