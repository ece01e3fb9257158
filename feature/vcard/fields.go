package vcard

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"parley/people"
	"parley/store"
	"parley/wire"
)

// Profile fields that an organization has defined are extended properties of vCard4 (RFC 6350, section 6.10), named
// after their keys: x-extension. Their values are put into a card for each who asks, and are never kept in one: once a
// field is deleted, nothing would say any more who may see what an old card has of it. What is kept is a mark, by which
// a change of the values is a change of the card, so that whoever wants to be told is. vcard-temp has no extensions,
// and none of this.

const (
	nsFields = "urn:parley:profile-fields"
	mark     = "fields"
)

// propertyName is the one of a field in cards.
func propertyName(key string) string { return "x-" + key }

// fieldOf finds the field that a property of a card is of; nil if it is of none.
func fieldOf(e *wire.Element, fs []store.ProfileField) *store.ProfileField {
	if e == nil || e.Name.Space != nsCard4 {
		return nil
	}
	for i := range fs {
		if e.Name.Local == propertyName(fs[i].Key) {
			return &fs[i]
		}
	}
	return nil
}

// withFields is a card with these values of fields and no others. The card that is given is not changed.
func withFields(card *wire.Element, fs []store.ProfileField, values map[string]string) *wire.Element {
	out := &wire.Element{Name: card.Name, Attrs: card.Attrs}
	for _, n := range card.Nodes {
		if n.Element == nil || fieldOf(n.Element, fs) == nil && !named(nsFields, mark)(n.Element) {
			out.Nodes = append(out.Nodes, n)
		}
	}
	for _, f := range fs {
		if v := values[f.Key]; v != "" {
			out.Add(fieldProperty(f, v))
		}
	}
	return out
}

// marked is a card as it is kept: without what profile fields say, and with a mark that is another one where that is.
func marked(card *wire.Element, fs []store.ProfileField, u store.Person) *wire.Element {
	out := withFields(card, fs, nil)
	if len(u.Fields) == 0 {
		return out
	}
	h := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(u.Fields)) {
		h.Write([]byte(key + "=" + u.Fields[key] + "\n"))
	}
	return out.Add(wire.E(nsFields, mark).Set("of", hex.EncodeToString(h.Sum(nil)[:16])))
}

// decimal is a number with a fraction as vCard4 writes it; one with a comma is a text there.
var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)\.[0-9]+$`)

// fieldProperty writes a value. A number that does not come back as it was typed, such as 0042, is a text.
func fieldProperty(f store.ProfileField, v string) *wire.Element {
	typ := "text"
	switch f.Kind {
	case store.FieldLink:
		typ = "uri"
	case store.FieldYesNo:
		typ, v = "boolean", strconv.FormatBool(v == "yes")
	case store.FieldNumber:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && strconv.FormatInt(n, 10) == v {
			typ = "integer"
		} else if decimal.MatchString(v) {
			typ = "float"
		}
	}
	label := wire.E(nsCard4, "x-label", wire.T(nsCard4, "text", f.Name))
	return wire.E(nsCard4, propertyName(f.Key), wire.E(nsCard4, "parameters", label), wire.T(nsCard4, typ, v))
}

// fieldsChanged gives the values that a published card changes of those that the person may change. What it does not
// name stays, as most clients know nothing of such properties; an empty one removes the value. A value that the field
// cannot have is passed over: the profile has the last word.
func fieldsChanged(card *wire.Element, fs []store.ProfileField, u store.Person) map[string]string {
	changed := make(map[string]string)
	seen := make(map[string]bool) // the first of several counts
	for _, e := range card.Elements() {
		f := fieldOf(e, fs)
		if f == nil || f.ByAdmins || seen[f.Key] {
			continue
		}
		seen[f.Key] = true
		if v, err := people.FieldValue(*f, value(e)); err == nil && v != u.Fields[f.Key] {
			changed[f.Key] = v
		}
	}
	return changed
}

// cleaned has what an account has published kept without what it says of profile fields: see marked.
func (v *Cards) cleaned(ctx context.Context, account string, card *wire.Element) error {
	fs, err := v.rules.Fields(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(card.Elements(), func(e *wire.Element) bool { return fieldOf(e, fs) != nil }) {
		return nil
	}
	return v.followed(ctx, account)
}
