package auth

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"strconv"
	"time"
)

// RelayCredentials returns a name and a password that are valid until then at a TURN server with the same secret ("A
// REST API for access to TURN services", coturn's use-auth-secret).
func RelayCredentials(secret, who string, until time.Time) (username, password string) {
	username = strconv.FormatInt(until.Unix(), 10) + ":" + who
	m := hmac.New(sha1.New, []byte(secret))
	m.Write([]byte(username))
	return username, base64.StdEncoding.EncodeToString(m.Sum(nil))
}
