package load

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"sync"
)

// scramHash returns the hash of a SCRAM mechanism, nil for any other mechanism.
func scramHash(mech string) func() hash.Hash {
	switch mech {
	case "SCRAM-SHA-256":
		return sha256.New
	case "SCRAM-SHA-1":
		return sha1.New
	}
	return nil
}

// Keys are what SCRAM derives from a password (RFC 5802, section 3).
type Keys struct{ Client, Stored, Server []byte }

// DeriveKeys does the costly part of SCRAM for "SCRAM-SHA-1" or
// "SCRAM-SHA-256".
func DeriveKeys(mech, password string, salt []byte, iterations int) (Keys, error) {
	h := scramHash(mech)
	if h == nil {
		return Keys{}, fmt.Errorf("mechanism %q is not SCRAM", mech)
	}
	salted, err := pbkdf2.Key(h, password, salt, iterations, h().Size())
	if err != nil {
		return Keys{}, err
	}
	client := mac(h, salted, "Client Key")
	stored := h()
	stored.Write(client)
	return Keys{Client: client, Stored: stored.Sum(nil), Server: mac(h, salted, "Server Key")}, nil
}

func mac(h func() hash.Hash, key []byte, text string) []byte {
	m := hmac.New(h, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// keyCache keeps derived keys, so that a login costs the client two HMACs
// and not thousands. It is safe from any goroutine; the zero value is ready.
type keyCache struct{ m sync.Map }

func (c *keyCache) get(mech, password string, salt []byte, iterations int) (Keys, error) {
	id := mech + "\x00" + password + "\x00" + string(salt) + "\x00" + strconv.Itoa(iterations)
	if k, ok := c.m.Load(id); ok {
		return k.(Keys), nil
	}
	k, err := DeriveKeys(mech, password, salt, iterations)
	if err == nil {
		c.m.Store(id, k)
	}
	return k, err
}

// scram is one exchange of RFC 5802 without channel binding.
type scram struct {
	mech, password string
	cache          *keyCache
	bare           string // client-first-message-bare
	server         []byte // The server signature to expect.
}

func newScram(mech, user, password string, cache *keyCache) *scram {
	user = strings.NewReplacer("=", "=3D", ",", "=2C").Replace(user)
	return &scram{mech: mech, password: password, cache: cache, bare: "n=" + user + ",r=" + rand.Text()}
}

func (x *scram) first() string { return base64.StdEncoding.EncodeToString([]byte("n,," + x.bare)) }

// final answers the server's challenge, which is base64.
func (x *scram) final(challenge string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(challenge)
	if err != nil {
		return "", fmt.Errorf("SCRAM challenge: %w", err)
	}
	part := fields(string(raw))
	salt, err := base64.StdEncoding.DecodeString(part["s"])
	if err != nil {
		return "", fmt.Errorf("SCRAM salt: %w", err)
	}
	iterations, err := strconv.Atoi(part["i"])
	if err != nil {
		return "", fmt.Errorf("SCRAM iterations: %w", err)
	}
	if own := fields(x.bare)["r"]; !strings.HasPrefix(part["r"], own) || len(part["r"]) == len(own) {
		return "", errors.New("SCRAM nonce is not ours")
	}
	keys, err := x.cache.get(x.mech, x.password, salt, iterations)
	if err != nil {
		return "", err
	}
	h := scramHash(x.mech)
	without := "c=biws,r=" + part["r"]
	auth := x.bare + "," + string(raw) + "," + without
	proof := mac(h, keys.Stored, auth)
	subtle.XORBytes(proof, proof, keys.Client)
	x.server = mac(h, keys.Server, auth)
	return base64.StdEncoding.EncodeToString([]byte(without + ",p=" + base64.StdEncoding.EncodeToString(proof))), nil
}

// verify checks the server's last word, which is base64.
func (x *scram) verify(success string) error {
	raw, err := base64.StdEncoding.DecodeString(success)
	if err != nil {
		return fmt.Errorf("SCRAM success: %w", err)
	}
	if fields(string(raw))["v"] != base64.StdEncoding.EncodeToString(x.server) {
		return errors.New("SCRAM server signature is wrong")
	}
	return nil
}

// fields splits "a=1,b=2"; only the first '=' separates.
func fields(s string) map[string]string {
	m := make(map[string]string)
	for _, f := range strings.Split(s, ",") {
		k, v, _ := strings.Cut(f, "=")
		m[k] = v
	}
	return m
}
