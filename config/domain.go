package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/net/idna"

	"parley/wire/jid"
)

// nameRules are those of names that DNS can have (RFC 5891), without those of registries: some names have hyphens in the
// third and fourth place.
var nameRules = idna.New(idna.MapForLookup(), idna.StrictDomainName(true), idna.CheckHyphens(false), idna.BidiRule(), idna.VerifyDNSLength(true))

// inContext are signs that are no letters and that a name may have beside some letters (RFC 5892, appendix A).
const inContext = "\u00B7\u0375\u05F3\u05F4\u30FB\u200C\u200D"

// domainName gives a domain in canonical form. The error names the sign that no domain has: a text that was copied out of a
// document brings quotes, dashes and spaces along that look like what was meant. also are signs that are taken all the same.
func domainName(text, also string) (string, error) {
	for _, r := range text {
		if r != '.' && r != '-' && !unicode.In(r, unicode.L, unicode.M, unicode.Nd) && !strings.ContainsRune(inContext+also, r) {
			return "", fmt.Errorf("%q is no domain: no domain has the sign %s: write it like example.org", text, sign(r))
		}
	}
	j, err := jid.Parse(text)
	if err != nil || j.Local() != "" || !j.IsBare() {
		return "", fmt.Errorf("%q is no domain: write it like example.org", text)
	}
	if also == "" {
		if _, err := nameRules.ToASCII(j.Domain()); err != nil {
			return "", fmt.Errorf("%q is no domain that DNS can have (%v): write it like example.org", text, err)
		}
	}
	return j.Domain(), nil
}

// sign shows a sign, also one that cannot be seen.
func sign(r rune) string {
	if unicode.IsPrint(r) && r != ' ' {
		return fmt.Sprintf("%c (%U)", r, r)
	}
	return fmt.Sprintf("%U, which is hard to see", r)
}

// checkHostName says what is wrong with the name or IP address of a machine. Machines within a network have underscores in
// their names now and then.
func checkHostName(text string) error {
	if _, err := netip.ParseAddr(text); err == nil {
		return nil
	}
	_, err := domainName(text, "_")
	return err
}

// placeholders are those of groups.meeting_url.
var placeholders = strings.NewReplacer("{room}", "x", "{secret}", "x")

// webAddress checks an address that begins with http:// or https://. wrong says what it is not, where it is none.
func (v *checker) webAddress(key, text, wrong string, fits func(*url.URL) bool) {
	u, err := url.Parse(placeholders.Replace(text))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || !fits(u) {
		v.add(key, "%q is no address %s", text, wrong)
	} else if err := checkHostName(u.Hostname()); err != nil {
		v.add(key, "%q: %v", text, err)
	}
}

func anyAddress(*url.URL) bool { return true }
