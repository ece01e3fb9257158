package auth

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"runtime"
)

// Key is what the server keeps of a password for one hash of SCRAM (RFC 5802, section 3).
type Key struct {
	Salt           []byte
	Iterations     int
	Stored, Server []byte
}

// IsZero reports whether the key is missing.
func (k Key) IsZero() bool { return len(k.Stored) == 0 }

// Keys is what the server keeps of a password, but never the password itself. Keys made here are complete. Those of an
// account from another server may lack one until its owner signs in.
type Keys struct{ SHA1, SHA256 Key }

// of returns the key for a hash of this size in bytes.
func (k Keys) of(size int) Key {
	if size == sha1.Size {
		return k.SHA1
	}
	return k.SHA256
}

// Of returns the key for a mechanism, named without -PLUS, or a zero key.
func (k Keys) Of(mechanism string) Key {
	for _, h := range hashes {
		if h.name == mechanism {
			return *h.at(&k)
		}
	}
	return Key{}
}

// scramHash is one kind of key.
type scramHash struct {
	name string // of the mechanism without channel binding
	new  func() hash.Hash
	at   func(k *Keys) *Key
}

var hashes = []scramHash{
	{"SCRAM-SHA-1", sha1.New, func(k *Keys) *Key { return &k.SHA1 }},
	{"SCRAM-SHA-256", sha256.New, func(k *Keys) *Key { return &k.SHA256 }},
}

// Missing returns the mechanisms, without -PLUS, that these keys do not support.
func (k Keys) Missing() []string {
	var out []string
	for _, h := range hashes {
		if h.at(&k).IsZero() {
			out = append(out, h.name)
		}
	}
	return out
}

// SetKey sets a key that was made elsewhere, by its mechanism. It returns an error if the mechanism is unknown or the
// key is not valid.
func (k *Keys) SetKey(mechanism string, key Key) error {
	for _, h := range hashes {
		if h.name != mechanism {
			continue
		}
		n := h.new().Size()
		if len(key.Stored) != n || len(key.Server) != n || len(key.Salt) == 0 || len(key.Salt) > maxSalt ||
			key.Iterations < 1 || key.Iterations > maxIterations {
			return fmt.Errorf("auth: the key for %s is not valid", mechanism)
		}
		*h.at(k) = key
		return nil
	}
	return fmt.Errorf("auth: unknown mechanism %s", mechanism)
}

const (
	saltLen       = 16
	maxSalt       = 255
	maxIterations = 10_000_000 // the most work for a client that signs in
)

// work limits how many passwords are stretched at once, so that a flood of them cannot occupy the machine.
var work = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)))

// NewKeys makes the keys of a password with a new salt. Fewer than 4096 iterations become 4096 (RFC 5802). It returns
// ErrPassword or ErrTwoForms for an unusable password.
func NewKeys(password string, iterations int) (Keys, error) {
	p, err := fresh(password)
	if err != nil {
		return Keys{}, err
	}
	return newKeys(p, NewSalt(), max(iterations, 4096), Keys{})
}

// KeysLike makes the keys of another password of the same account, with the salts and iterations of the first one. What
// a client computes can then be compared with both. Errors are those of NewKeys.
func KeysLike(password string, iterations int, like Keys) (Keys, error) {
	p, err := fresh(password)
	if err != nil {
		return Keys{}, err
	}
	return likeKeys(p, NewSalt(), max(iterations, 4096), Keys{}, like)
}

// newKeys adds the keys that k lacks.
func newKeys(prepared string, salt []byte, iterations int, k Keys) (Keys, error) {
	return likeKeys(prepared, salt, iterations, k, Keys{})
}

// likeKeys adds the keys that k lacks, with the salts and iterations of like where that has them.
func likeKeys(prepared string, salt []byte, iterations int, k, like Keys) (Keys, error) {
	for _, h := range hashes {
		at := h.at(&k)
		if !at.IsZero() {
			continue
		}
		salt, iterations := salt, iterations
		if l := h.at(&like); !l.IsZero() {
			salt, iterations = l.Salt, l.Iterations
		}
		salted, err := stretch(h.new, prepared, salt, iterations)
		if err != nil {
			return Keys{}, err
		}
		*at = keyOf(h.new, salted, salt, iterations)
	}
	return k, nil
}

// complete adds the missing keys for a password that a client has just sent, with the parameters of the account's other
// passwords.
func (k Keys) complete(password string, others []Secret) (Keys, error) {
	p, err := prepare(password)
	if err != nil {
		return k, err
	}
	return likeKeys(p, NewSalt(), max(k.SHA1.Iterations, k.SHA256.Iterations, 4096), k, Like(others))
}

// Like returns, for each hash, the key of the first of these passwords that has one.
func Like(ss []Secret) (k Keys) {
	for _, s := range ss {
		for _, h := range hashes {
			if at := h.at(&k); at.IsZero() {
				*at = *h.at(&s.Keys)
			}
		}
	}
	return k
}

// NewSalt returns 16 random bytes.
func NewSalt() []byte {
	b := make([]byte, saltLen)
	rand.Read(b)
	return b
}

// KeyOf makes a key from the SaltedPassword that a client computed (XEP-0480, section 3). It returns an error for an
// unknown mechanism or a salted password of the wrong length.
func KeyOf(mechanism string, salted, salt []byte, iterations int) (Key, error) {
	for _, h := range hashes {
		if h.name == mechanism && len(salted) == h.new().Size() {
			return keyOf(h.new, salted, salt, iterations), nil
		}
	}
	return Key{}, errMalformed
}

func keyOf(h func() hash.Hash, salted, salt []byte, iterations int) Key {
	return Key{salt, iterations, digest(h, mac(h, salted, []byte("Client Key"))), mac(h, salted, []byte("Server Key"))}
}

func stretch(h func() hash.Hash, password string, salt []byte, iterations int) ([]byte, error) {
	work <- struct{}{}
	defer func() { <-work }()
	salted, err := pbkdf2.Key(h, password, salt, iterations, h().Size())
	if err != nil {
		return nil, fmt.Errorf("stretch password: %w", err)
	}
	return salted, nil
}

func mac(h func() hash.Hash, key, data []byte) []byte {
	m := hmac.New(h, key)
	m.Write(data)
	return m.Sum(nil)
}

func digest(h func() hash.Hash, data []byte) []byte {
	d := h()
	d.Write(data)
	return d.Sum(nil)
}

// Verify reports whether this is the password. It takes as long as making a key.
func (k Keys) Verify(password string) bool { return verify([]Secret{{Keys: k}}, password) != nil }

// verify returns the password that matches, or nil. It takes the same time for any number of passwords.
func verify(ss []Secret, password string) (found *Secret) {
	p, err := prepare(password)
	if err != nil || len(ss) == 0 {
		return nil
	}
	key, h := ss[0].Keys.SHA256, sha256.New
	if key.IsZero() {
		key, h = ss[0].Keys.SHA1, sha1.New
	}
	if key.IsZero() {
		return nil
	}
	salted, err := stretch(h, p, key.Salt, key.Iterations)
	if err != nil {
		return nil
	}
	stored := keyOf(h, salted, nil, 0).Stored
	for i := range ss {
		k := ss[i].Keys.of(h().Size())
		if k.like(key) && subtle.ConstantTimeCompare(stored, k.Stored) == 1 && found == nil {
			found = &ss[i]
		}
	}
	return found
}

// like reports whether a client computes the same value from one password for both keys.
func (k Key) like(o Key) bool {
	return !k.IsZero() && k.Iterations == o.Iterations && bytes.Equal(k.Salt, o.Salt)
}

// The stored forms of keys: form 1 has one salt for both hashes and both keys; form 2 has each key separately, or none.
const (
	keysTogether = 1
	keysApart    = 2
)

// MarshalBinary returns the form for the store. It fails if there are no keys.
func (k Keys) MarshalBinary() ([]byte, error) {
	if len(k.Missing()) == len(hashes) {
		return nil, errors.New("auth: no keys")
	}
	a, b := k.SHA1, k.SHA256
	if !a.IsZero() && !b.IsZero() && a.Iterations == b.Iterations && len(a.Salt) == saltLen &&
		string(a.Salt) == string(b.Salt) {
		out := binary.BigEndian.AppendUint32([]byte{keysTogether}, uint32(a.Iterations))
		for _, part := range [][]byte{a.Salt, a.Stored, a.Server, b.Stored, b.Server} {
			out = append(out, part...)
		}
		return out, nil
	}
	out := []byte{keysApart}
	for _, h := range hashes {
		at := h.at(&k)
		out = append(out, byte(len(at.Salt)))
		if at.IsZero() {
			out[len(out)-1] = 0
			continue
		}
		out = binary.BigEndian.AppendUint32(out, uint32(at.Iterations))
		out = append(append(append(out, at.Salt...), at.Stored...), at.Server...)
	}
	return out, nil
}

var errForm = errors.New("auth: unknown form of keys")

// UnmarshalBinary reads the form that MarshalBinary returns.
func (k *Keys) UnmarshalBinary(b []byte) error {
	if len(b) == 0 {
		return errForm
	}
	form, b := b[0], append([]byte(nil), b[1:]...)
	take := func(n int) (part []byte) {
		if n > len(b) {
			n, b = 0, nil
		}
		part, b = b[:n:n], b[n:]
		return part
	}
	*k = Keys{}
	switch form {
	case keysTogether:
		if len(b) != 4+saltLen+40+64 {
			return errForm
		}
		n, salt := int(binary.BigEndian.Uint32(take(4))), take(saltLen)
		k.SHA1 = Key{salt, n, take(20), take(20)}
		k.SHA256 = Key{salt, n, take(32), take(32)}
		return nil
	case keysApart:
		for _, h := range hashes {
			s := take(1)
			if len(s) == 0 {
				return errForm
			}
			if s[0] == 0 {
				continue
			}
			if n := h.new().Size(); len(b) < 4+int(s[0])+2*n {
				return errForm
			}
			n := int(binary.BigEndian.Uint32(take(4)))
			*h.at(k) = Key{take(int(s[0])), n, take(h.new().Size()), take(h.new().Size())}
		}
		if len(b) == 0 && len(k.Missing()) < len(hashes) {
			return nil
		}
	}
	return errForm
}
