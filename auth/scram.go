package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"slices"
	"strconv"
	"strings"
)

// scram is SCRAM (RFC 5802) with the hashes of RFC 5802 and RFC 7677. The server does no key stretching: a sign-in
// costs a few HMACs.
type scram struct {
	signIn
	o    Options
	hash func() hash.Hash
	name string
	plus bool

	step      int
	authzid   string
	gs2       string // the header as sent
	binding   []byte // the data that must follow the header when the client repeats it
	firstBare string
	serverMsg string
	nonce     string
	key       Key      // of the first password, which determines the salt and iterations
	secrets   []Secret // the passwords that the proof may match
	known     bool
}

func newScram(mechanism string, o Options) *scram {
	s := &scram{o: o, name: mechanism, plus: strings.HasSuffix(mechanism, "-PLUS"), hash: sha256.New}
	if strings.HasPrefix(mechanism, "SCRAM-SHA-1") {
		s.hash = sha1.New
	}
	return s
}

// Next takes the client's first or final message and returns the answer.
func (s *scram) Next(ctx context.Context, message []byte) ([]byte, bool, error) {
	s.step++
	switch s.step {
	case 1:
		b, err := s.first(ctx, string(message))
		return b, false, err
	case 2:
		b, err := s.final(string(message))
		return b, err == nil, err
	}
	return nil, false, errMalformed
}

// first reads the gs2-header and the client-first-message-bare (RFC 5802, section 7) and returns the server's first
// message.
func (s *scram) first(ctx context.Context, m string) ([]byte, error) {
	flag, rest, ok1 := strings.Cut(m, ",")
	authzid, bare, ok2 := strings.Cut(rest, ",")
	if !ok1 || !ok2 || len(m) > 8192 {
		return nil, errMalformed
	}
	if err := s.channel(flag); err != nil {
		return nil, err
	}
	if authzid != "" {
		a, ok := strings.CutPrefix(authzid, "a=")
		if s.authzid, ok = unescapeName(a, ok); !ok {
			return nil, errMalformed
		}
	}
	s.gs2, s.firstBare = flag+","+authzid+",", bare
	attrs := strings.Split(bare, ",")
	if strings.HasPrefix(attrs[0], "m=") { // a mandatory extension, and we know none
		return nil, &Error{Condition: "malformed-request", Text: "unknown extension"}
	}
	if len(attrs) < 2 {
		return nil, errMalformed
	}
	n, ok := strings.CutPrefix(attrs[0], "n=")
	name, ok := unescapeName(n, ok)
	nonce, ok2 := strings.CutPrefix(attrs[1], "r=")
	if !ok || !ok2 || !printable(nonce) {
		return nil, errMalformed
	}
	if err := s.named(s.o, name); err != nil {
		return nil, err
	}
	secrets, known, err := s.o.secrets(ctx, s.user)
	if err != nil {
		return nil, err
	}
	s.choose(secrets, known)
	var r [18]byte
	rand.Read(r[:])
	s.nonce = nonce + base64.StdEncoding.EncodeToString(r[:])
	s.serverMsg = "r=" + s.nonce + ",s=" + base64.StdEncoding.EncodeToString(s.key.Salt) + ",i=" +
		strconv.Itoa(s.key.Iterations)
	if s.o.DowngradeHash {
		s.serverMsg += ",h=" + s.downgrade()
	}
	return []byte(s.serverMsg), nil
}

// choose keeps the passwords that the client's proof may match: those with the salt and iterations of the first.
func (s *scram) choose(secrets []Secret, known bool) {
	size := s.hash().Size()
	s.key, s.known = secrets[0].Keys.of(size), known
	if s.key.IsZero() { // it only has a key for the other hash
		s.key, s.known, secrets = s.o.Faker.Keys(s.o.Host, s.user).of(size), false, nil
	}
	for _, x := range secrets {
		if x.Keys.of(size).like(s.key) {
			s.secrets = append(s.secrets, x)
		}
	}
}

// channel checks the channel-binding flag of the gs2 header.
func (s *scram) channel(flag string) error {
	switch {
	case flag == "n":
		if s.plus {
			return errMalformed
		}
	case flag == "y":
		// The client can bind the channel and believes that we cannot. If we offered it, somebody removed it from our
		// offer, unless the client has learned on this stream that we lack its kind of binding (decisions/005).
		if s.plus || !s.o.BindingFailed &&
			slices.ContainsFunc(s.o.Mechanisms, func(m string) bool { return strings.HasSuffix(m, "-PLUS") }) {
			return errNotAuthorized
		}
	case strings.HasPrefix(flag, "p="):
		if !s.plus {
			return errMalformed
		}
		if s.binding = s.o.Binding.data(flag[2:]); s.binding == nil {
			return ErrBinding
		}
	default:
		return errMalformed
	}
	return nil
}

// downgrade returns the hash of what we offered (XEP-0474): mechanisms and channel bindings, sorted.
func (s *scram) downgrade() string {
	ms := slices.Clone(s.o.Mechanisms)
	slices.Sort(ms)
	in := strings.Join(ms, "\x1e")
	var cbs []string
	if s.o.Binding.Exporter != nil {
		cbs = append(cbs, "tls-exporter")
	}
	if s.o.Binding.EndPoint != nil {
		cbs = append(cbs, "tls-server-end-point")
	}
	if len(cbs) > 0 {
		in += "\x1f" + strings.Join(cbs, "\x1e")
	}
	return base64.StdEncoding.EncodeToString(digest(s.hash, []byte(in)))
}

// final checks the client-final-message and returns the server's signature.
func (s *scram) final(m string) ([]byte, error) {
	i := strings.LastIndex(m, ",p=")
	if i < 0 || len(m) > 16384 {
		return nil, errMalformed
	}
	without := m[:i]
	proof, err := base64.StdEncoding.DecodeString(m[i+3:])
	if err != nil {
		return nil, errMalformed
	}
	attrs := strings.Split(without, ",")
	if len(attrs) < 2 {
		return nil, errMalformed
	}
	c, ok1 := strings.CutPrefix(attrs[0], "c=")
	r, ok2 := strings.CutPrefix(attrs[1], "r=")
	cbind, err := base64.StdEncoding.DecodeString(c)
	if !ok1 || !ok2 || err != nil {
		return nil, errMalformed
	}
	if subtle.ConstantTimeCompare(cbind, append([]byte(s.gs2), s.binding...)) != 1 || r != s.nonce {
		return nil, errNotAuthorized
	}
	message := []byte(s.firstBare + "," + s.serverMsg + "," + without)
	found := s.proven(proof, message)
	if found == nil || !s.known {
		return nil, errNotAuthorized
	}
	if err := found.known(); err != nil {
		return nil, err
	}
	if err := s.o.checkAuthzid(s.authzid, s.user); err != nil {
		return nil, err
	}
	s.secret = found.ID
	return []byte("v=" + base64.StdEncoding.EncodeToString(mac(s.hash,
		found.Keys.of(s.hash().Size()).Server, message))), nil
}

// proven returns the password that the proof matches, or nil.
func (s *scram) proven(proof, message []byte) (found *Secret) {
	size := s.hash().Size()
	if len(proof) != size {
		return nil
	}
	key := make([]byte, size)
	for i := range s.secrets {
		stored := s.secrets[i].Keys.of(size).Stored
		subtle.XORBytes(key, proof, mac(s.hash, stored, message))
		if hmac.Equal(digest(s.hash, key), stored) && found == nil {
			found = &s.secrets[i]
		}
	}
	return found
}

// unescapeName decodes a saslname. ok is the result of the previous check and is passed on.
func unescapeName(s string, ok bool) (string, bool) {
	if !ok || s == "" {
		return "", false
	}
	for i := 0; i < len(s); i++ {
		if s[i] == '=' && !strings.HasPrefix(s[i:], "=2C") && !strings.HasPrefix(s[i:], "=3D") {
			return "", false
		}
	}
	return strings.NewReplacer("=2C", ",", "=3D", "=").Replace(s), true
}

func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x21 || s[i] > 0x7e || s[i] == ',' {
			return false
		}
	}
	return s != ""
}
