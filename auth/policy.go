package auth

import (
	"math"
	"parley/internal/fault"
	"strings"
	"unicode"
)

// minEntropy is the least entropy, in bits, of a password without all character classes (see entropy).
const minEntropy = 40

// CheckPassword enforces the password policy, which is the same everywhere. A password needs 8 characters with upper
// case, lower case, a digit and a special character, or 12 characters that are not too regular, as generated passwords
// and phrases have. It must not be a common password or contain the username. Errors are of type *fault.Error.
func CheckPassword(password, username string) error {
	if _, err := prepare(password); err != nil {
		return err
	}
	lower := strings.ToLower(password)
	if len(username) >= 3 && strings.Contains(lower, strings.ToLower(username)) {
		return weak("The password must not contain the user name")
	}
	if common(lower) {
		return weak("This is one of the most common passwords")
	}
	n := len([]rune(password))
	if n >= 8 && classes(password) == 4 {
		return nil
	}
	if n >= 12 {
		if entropy(password) >= minEntropy {
			return nil
		}
		return weak("The password is too regular: use more different characters")
	}
	if n < 8 {
		return weak("The password is too short: 8 characters with upper and lower case, a digit and a special character, or 12 of any kind")
	}
	return weak("Use upper and lower case, a digit and a special character, or make it 12 characters or longer")
}

func weak(text string) error { return fault.New(fault.Invalid, "password", text) }

// classes counts how many of upper case, lower case, digit and other occur in s.
func classes(s string) int {
	var upper, lower, digit, other int
	for _, r := range s {
		switch {
		case unicode.IsUpper(r):
			upper = 1
		case unicode.IsLower(r):
			lower = 1
		case unicode.IsDigit(r):
			digit = 1
		default:
			other = 1
		}
	}
	return upper + lower + digit + other
}

// entropy estimates the entropy of s in bits: Shannon's measure of the character frequencies times the length.
// Repetitions and sequences ("abcdef", "123456") count for little.
func entropy(s string) float64 {
	count := make(map[rune]int)
	n, steps := 0, 0
	var last rune
	for _, r := range s {
		if d := r - last; n > 0 && d >= -1 && d <= 1 {
			steps++
		}
		count[r]++
		n, last = n+1, r
	}
	var h float64
	for _, c := range count {
		p := float64(c) / float64(n)
		h -= p * math.Log2(p)
	}
	return h * float64(n-max(0, steps-2)) // two may be chance
}

// common reports whether s is one of the most used passwords, in lower case and without common suffixes.
func common(s string) bool {
	if commonPasswords[s] {
		return true
	}
	bare := strings.TrimRight(s, "0123456789!.?$#@*-_")
	plain := strings.NewReplacer("@", "a", "0", "o", "1", "i", "3", "e", "$", "s", "5", "s", "!", "i").Replace(bare)
	return len(s)-len(bare) <= 6 && (commonPasswords[bare] || commonPasswords[plain])
}

var commonPasswords = func() map[string]bool {
	m := make(map[string]bool)
	for _, p := range strings.Fields(`123456 password 12345678 qwerty 123456789 12345 1234 111111 1234567 dragon 123123
		baseball abc123 football monkey letmein shadow master 696969 michael mustang 666666 qwertyuiop 123321 1234567890
		superman 654321 1qaz2wsx 7777777 qazwsx jordan jennifer 123qwe 121212 killer trustno1 hunter harley zxcvbnm asdfgh
		buster robert soccer batman andrew tigger sunshine iloveyou charlie thomas hockey ranger daniel starwars george
		asshole computer michelle jessica pepper 1111 zxcvbn 555555 11111111 131313 freedom 777777 pass maggie 159753
		aaaaaa ginger princess joshua cheese amanda summer love ashley nicole chelsea matthew access yankees 987654321
		dallas austin thunder taylor matrix welcome admin administrator root guest changeme default secret hello azerty
		motdepasse bonjour soleil doudou marseille loulou chouchou passwort hallo qwerty123 q1w2e3r4 q1w2e3r4t5y6 p@ssw0rd
		passw0rd 1q2w3e4r 1q2w3e4r5t 000000 888888 zaq12wsx whatever internet samsung google login user test demo parley`) {
		m[p] = true
	}
	return m
}()
