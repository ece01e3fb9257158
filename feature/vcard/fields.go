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

// Profile fields of the organization are extended properties of vCard4 (RFC 6350, section 6.10), named after their
// keys: x-extension. Their values are put into a card for each asker and never kept in it: once a field is deleted,
// nothing would say who may see the value in an old card. What is kept is a mark that changes with the values, so that
// subscribers are notified. vcard-temp has no extensions, and so no profile fields.

const (
	nsFields = "urn:parley:profile-fields"
	mark     = "fields"
)

// propertyName gives a field's property in cards.
func propertyName(key string) string { return "x-" + key }

// fieldOf gives the field of a card's property; nil if there is none.
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

// withFields gives a copy of a card with these values of fields and no others.
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

// marked gives a card as it is kept: without values of profile fields, and with a mark that changes with them.
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

// decimal matches a number with a fraction as vCard4 writes it; a number with a comma is a text there.
var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)\.[0-9]+$`)

// fieldProperty writes a value. A number that would not read back as it was typed, such as 0042, becomes a text.
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

// fieldsChanged gives the values that a published card changes, of those that the person may change. Properties that
// are missing change nothing, as most clients do not know them; an empty one removes the value. Values that are not
// valid are ignored: the profile stays as it is.
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

// cleaned keeps an account's published card without values of profile fields: see marked.
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
