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

// Key is what is kept of a password for one hash of SCRAM (RFC 5802, section 3).
type Key struct {
	Salt           []byte
	Iterations     int
	Stored, Server []byte
}

// IsZero says that there is none.
func (k Key) IsZero() bool { return len(k.Stored) == 0 }

// Keys are what is kept of a password; the password itself never is. Those made here have all; one that came with an
// account from another server may be missing, until its owner signs in.
type Keys struct{ SHA1, SHA256 Key }

// of gives the key for a hash of this size.
func (k Keys) of(size int) Key {
	if size == sha1.Size {
		return k.SHA1
	}
	return k.SHA256
}

// Of gives the key for a mechanism, named without -PLUS; a zero one if there is none.
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

// Missing names the mechanisms, without -PLUS, that cannot be used with these keys.
func (k Keys) Missing() []string {
	var out []string
	for _, h := range hashes {
		if h.at(&k).IsZero() {
			out = append(out, h.name)
		}
	}
	return out
}

// SetKey puts in a key that was made elsewhere, named by its mechanism; an error if it cannot be one.
func (k *Keys) SetKey(mechanism string, key Key) error {
	for _, h := range hashes {
		if h.name != mechanism {
			continue
		}
		n := h.new().Size()
		if len(key.Stored) != n || len(key.Server) != n || len(key.Salt) == 0 || len(key.Salt) > maxSalt || key.Iterations < 1 || key.Iterations > maxIterations {
			return fmt.Errorf("auth: no keys of %s", mechanism)
		}
		*h.at(k) = key
		return nil
	}
	return fmt.Errorf("auth: unknown mechanism %s", mechanism)
}

const (
	saltLen       = 16
	maxSalt       = 255
	maxIterations = 10_000_000 // what a client is made to do when it signs in
)

// work bounds how many passwords are stretched at once, so that a flood of them cannot take the machine.
var work = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)))

// NewKeys makes the keys of a password with a fresh salt. iterations below 4096 are raised to that (RFC 5802).
func NewKeys(password string, iterations int) (Keys, error) {
	p, err := fresh(password)
	if err != nil {
		return Keys{}, err
	}
	return newKeys(p, NewSalt(), max(iterations, 4096), Keys{})
}

// KeysLike makes the keys of another password of the same account: with the salts and iterations that the first has, a
// client that signs in with either computes what can be compared with both.
func KeysLike(password string, iterations int, like Keys) (Keys, error) {
	p, err := fresh(password)
	if err != nil {
		return Keys{}, err
	}
	return likeKeys(p, NewSalt(), max(iterations, 4096), Keys{}, like)
}

// newKeys makes what there is none of in k.
func newKeys(prepared string, salt []byte, iterations int, k Keys) (Keys, error) {
	return likeKeys(prepared, salt, iterations, k, Keys{})
}

// likeKeys makes what there is none of in k, with the salts and iterations of like where that has some.
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

// complete makes the keys that are missing of a password that has just been shown, like those of the account's others.
func (k Keys) complete(password string, others []Secret) (Keys, error) {
	p, err := prepare(password)
	if err != nil {
		return k, err
	}
	return likeKeys(p, NewSalt(), max(k.SHA1.Iterations, k.SHA256.Iterations, 4096), k, Like(others))
}

// Like gives, for each hash, keys of one of these passwords that has some.
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

// NewSalt makes one.
func NewSalt() []byte {
	b := make([]byte, saltLen)
	rand.Read(b)
	return b
}

// KeyOf makes a key of a SaltedPassword that a client has computed (XEP-0480, section 3).
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

// Verify says whether this is the password. It costs what making the key has cost.
func (k Keys) Verify(password string) bool { return verify([]Secret{{Keys: k}}, password) != nil }

// verify gives the one of some passwords that this is; nil if it is none. It costs the same however many they are.
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

// like says that a client computes the same of one password for both.
func (k Key) like(o Key) bool {
	return !k.IsZero() && k.Iterations == o.Iterations && bytes.Equal(k.Salt, o.Salt)
}

// Forms in which keys are kept: 1 has one salt for both hashes, and both keys; 2 has each key by itself, or none.
const (
	keysTogether = 1
	keysApart    = 2
)

// MarshalBinary gives the form that is kept.
func (k Keys) MarshalBinary() ([]byte, error) {
	if len(k.Missing()) == len(hashes) {
		return nil, errors.New("auth: no keys")
	}
	a, b := k.SHA1, k.SHA256
	if !a.IsZero() && !b.IsZero() && a.Iterations == b.Iterations && len(a.Salt) == saltLen && string(a.Salt) == string(b.Salt) {
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

var errForm = errors.New("auth: keys of an unknown form")

// UnmarshalBinary reads what MarshalBinary gave.
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
