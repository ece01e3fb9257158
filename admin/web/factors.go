package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"parley/store"
)

// codeStep is how long a code is valid (RFC 6238, section 4). The step before and the step after are accepted too, for
// clocks that are off.
const (
	codeStep   = 30
	recoveries = 10
)

var errUsed = errors.New("web: the code is not right")

// useCode checks a code of the app or a recovery code. Each works once.
func (s *Server) useCode(ctx context.Context, u store.Person, code string) (bool, error) {
	code = strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(code))
	if code == "" || len(code) > 40 {
		return false, nil
	}
	err := s.Store.UseSecondFactor(ctx, u.Host, u.Name, func(f *store.SecondFactor) error {
		if step, ok := matching(f.Secret, code, s.Clock.Now(), f.LastStep); ok {
			f.LastStep = step
			return nil
		}
		h := hashToken(code)
		for i, r := range f.Recovery {
			if subtle.ConstantTimeCompare([]byte(r), []byte(h)) == 1 {
				f.Recovery = append(f.Recovery[:i:i], f.Recovery[i+1:]...)
				return nil
			}
		}
		return errUsed
	})
	if errors.Is(err, errUsed) || errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// matching returns the step of a code, if it is later than the last used step.
func matching(secret, code string, now time.Time, last int64) (int64, bool) {
	at := now.Unix() / codeStep
	found, ok := int64(0), false
	for step := at - 1; step <= at+1; step++ {
		want, err := hotp.GenerateCodeCustom(secret, uint64(step),
			hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && step > last {
			found, ok = step, true
		}
	}
	return found, ok
}

func newSecret() string {
	var b [20]byte
	rand.Read(b[:])
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:])
}

// newRecovery creates recovery codes to show once, and the hashes to store.
func newRecovery() (codes, hashes []string) {
	for range recoveries {
		c := strings.ToLower(rand.Text()[:16])
		codes = append(codes, c[:4]+"-"+c[4:8]+"-"+c[8:12]+"-"+c[12:])
		hashes = append(hashes, hashToken(c))
	}
	return codes, hashes
}
