package people

import (
	"crypto/hmac"
	"encoding/base32"
	"encoding/binary"
	"strconv"
	"strings"

	"parley/auth"
	"parley/store"
)

// A token is the id of an invitation and its generation with a MAC, in Crockford's base32, so that the database alone
// gives nobody a link. It is read in any case, and letters that look like digits are read as digits.
const (
	macLen   = 11
	tokenLen = 8 + 1 + macLen // bytes: 32 characters
)

var crockford = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

var misread = strings.NewReplacer("o", "0", "i", "1", "l", "1", "-", "", " ", "")

func (p *People) mac(kind, id string, generation int) []byte {
	return auth.Derive(p.cfg.Secret, "invitation", p.h.Domain, kind, id, strconv.Itoa(generation))[:macLen]
}

// Token gives the token for the link of an invitation.
func (p *People) Token(i store.Invitation) (string, error) {
	id, err := store.ParseID(i.ID)
	if err != nil {
		return "", err
	}
	b := binary.BigEndian.AppendUint64(make([]byte, 0, tokenLen), uint64(id))
	b = append(b, byte(i.Generation))
	return crockford.EncodeToString(append(b, p.mac(i.Kind, i.ID, i.Generation)...)), nil
}

// parse reads a token that this host made for this kind of invitation.
func (p *People) parse(kind, token string) (id string, generation int, ok bool) {
	if len(token) > 64 {
		return "", 0, false
	}
	b, err := crockford.DecodeString(misread.Replace(strings.ToLower(token)))
	if err != nil || len(b) != tokenLen || b[0] > 127 {
		return "", 0, false
	}
	id, generation = store.ID(binary.BigEndian.Uint64(b)).String(), int(b[8])
	return id, generation, hmac.Equal(b[9:], p.mac(kind, id, generation))
}

// Made says whether this host made a token, without looking into the store.
func (p *People) Made(kind, token string) bool {
	_, _, ok := p.parse(kind, token)
	return ok
}
