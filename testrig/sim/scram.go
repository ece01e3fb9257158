package sim

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
)

// password is every account's.
const password = "pencil-and-paper"

// scram is the client's side of SCRAM-SHA-1 (RFC 5802).
type scram struct {
	bare string
}

func newScram(account string, rnd *rand.Rand) scram {
	return scram{bare: fmt.Sprintf("n=%s,r=%x%x", account, rnd.Uint64(), rnd.Uint64())}
}

func (s *scram) first() string { return base64.StdEncoding.EncodeToString([]byte("n,," + s.bare)) }

// salted are stretched passwords by salt and iterations. Stretching is meant to take long, and is done once.
var salted sync.Map

// answer answers the server's first message.
func (s *scram) answer(challenge string) string {
	b, _ := base64.StdEncoding.DecodeString(challenge)
	server := string(b)
	var nonce, salt string
	iterations := 0
	for f := range strings.SplitSeq(server, ",") {
		switch key, value, _ := strings.Cut(f, "="); key {
		case "r":
			nonce = value
		case "s":
			salt = value
		case "i":
			iterations, _ = strconv.Atoi(value)
		}
	}
	key, ok := salted.Load(salt)
	if !ok {
		raw, _ := base64.StdEncoding.DecodeString(salt)
		k, err := pbkdf2.Key(sha1.New, password, raw, iterations, sha1.Size)
		if err != nil {
			return ""
		}
		key, _ = salted.LoadOrStore(salt, k)
	}
	final := "c=" + base64.StdEncoding.EncodeToString([]byte("n,,")) + ",r=" + nonce
	client := mac(key.([]byte), "Client Key")
	stored := sha1.Sum(client)
	signature := mac(stored[:], s.bare+","+server+","+final)
	for i := range client {
		client[i] ^= signature[i]
	}
	return base64.StdEncoding.EncodeToString([]byte(final + ",p=" + base64.StdEncoding.EncodeToString(client)))
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha1.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}
