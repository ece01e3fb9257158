package federation

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
	"time"
)

func TestCheckCertificate(t *testing.T) {
	ca := newAuthority(t)
	ext := func(names map[string]asn1.ObjectIdentifier, tag int, critical bool) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			if critical {
				c.Subject = pkix.Name{}
			}
			c.ExtraExtensions = []pkix.Extension{{Id: oidSAN, Critical: critical, Value: sanOf(t, names, tag)}}
		}
	}
	for _, c := range []struct {
		what   string
		names  []string
		change func(*x509.Certificate)
		domain string
		good   bool
	}{
		{"its name", []string{"a.example"}, nil, "a.example", true},
		{"one of its names", []string{"b.example", "A.Example."}, nil, "a.example", true},
		{"another's", []string{"b.example"}, nil, "a.example", false},
		{"its parent's", []string{"a.example"}, nil, "groups.a.example", false},
		{"a wildcard", []string{"*.a.example"}, nil, "groups.a.example", true},
		{"a wildcard for the parent", []string{"*.a.example"}, nil, "a.example", false},
		{"a wildcard for two labels", []string{"*.a.example"}, nil, "x.groups.a.example", false},
		{"a wildcard for a whole top-level domain", []string{"*.example"}, nil, "a.example", false},
		{"a part of a label", []string{"g*.a.example"}, nil, "groups.a.example", false},
		{"an A-label", []string{"xn--bcher-kva.example"}, nil, "bücher.example", true},
		{"no name but the common name", nil,
			func(c *x509.Certificate) { c.Subject.CommonName = "a.example" }, "a.example", false},
		{"expired", []string{"a.example"}, expired, "a.example", false},
		{"not yet valid", []string{"a.example"},
			func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }, "a.example", false},
		{"for clients only", []string{"a.example"}, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}, "a.example", true},
		{"for code", []string{"a.example"}, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
		}, "a.example", false},
		{"xmppAddr", nil, ext(map[string]asn1.ObjectIdentifier{"a.example": oidXMPPAddr},
			asn1.TagUTF8String, false), "a.example", true},
		{"xmppAddr, critical", nil, ext(map[string]asn1.ObjectIdentifier{"a.example": oidXMPPAddr},
			asn1.TagUTF8String, true), "a.example", true},
		{"xmppAddr of another", nil, ext(map[string]asn1.ObjectIdentifier{"b.example": oidXMPPAddr},
			asn1.TagUTF8String, false), "a.example", false},
		{"xmppAddr of a person", nil, ext(map[string]asn1.ObjectIdentifier{"x@a.example": oidXMPPAddr},
			asn1.TagUTF8String, false), "a.example", false},
		{"xmppAddr that is no string", nil, ext(map[string]asn1.ObjectIdentifier{"a.example": oidXMPPAddr},
			asn1.TagOctetString, false), "a.example", false},
		{"SRVName", nil, ext(map[string]asn1.ObjectIdentifier{"_xmpp-server.a.example": oidSRVName},
			asn1.TagIA5String, false), "a.example", true},
		{"SRVName of another service", nil, ext(map[string]asn1.ObjectIdentifier{"_xmpp-client.a.example": oidSRVName},
			asn1.TagIA5String, false), "a.example", false},
		{"SRVName without service", nil, ext(map[string]asn1.ObjectIdentifier{"a.example": oidSRVName},
			asn1.TagIA5String, false), "a.example", false},
		{"a broken subjectAltName", nil, func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: oidXMPPAddr, Value: []byte{0x30, 0x80}}}
		}, "a.example", false},
	} {
		cert := ca.issue(c.change, c.names...)
		if err := checkCertificate([]*x509.Certificate{cert.Leaf}, c.domain,
			ca.pool(), time.Now()); (err == nil) != c.good {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	own := ca.issue(nil, "a.example")
	if checkCertificate([]*x509.Certificate{own.Leaf}, "a.example", newAuthority(t).pool(), time.Now()) == nil {
		t.Error("an authority that is not trusted")
	}
	if checkCertificate(nil, "a.example", ca.pool(), time.Now()) == nil {
		t.Error("no certificate")
	}
	if !speaksItself(own, "a.example", time.Now()) || speaksItself(own, "b.example", time.Now()) ||
		speaksItself(own, "a.example", time.Now().Add(2*time.Hour)) || speaksItself(nil, "a.example", time.Now()) {
		t.Error("what our own certificate is good for")
	}
}

// TestConstrained: an authority for some names only cannot avoid that limit with otherNames, which crypto/x509 does not
// check.
func TestConstrained(t *testing.T) {
	ca := newAuthority(t)
	sub := newAuthority(t)
	tmpl := *sub.cert
	tmpl.Subject.CommonName = "an authority for b.example"
	tmpl.PermittedDNSDomains, tmpl.PermittedDNSDomainsCritical = []string{"b.example"}, true
	der, err := x509.CreateCertificate(nil, &tmpl, ca.cert, &sub.key.PublicKey, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	if sub.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	bad := sub.issue(func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{
			Id:    oidSAN,
			Value: sanOf(t, map[string]asn1.ObjectIdentifier{"a.example": oidXMPPAddr}, asn1.TagUTF8String),
		}}
	})
	if err := checkCertificate([]*x509.Certificate{bad.Leaf, sub.cert}, "a.example",
		ca.pool(), time.Now()); err == nil {
		t.Error("spoke for a.example")
	}
	good := sub.issue(nil, "b.example")
	if err := checkCertificate([]*x509.Certificate{good.Leaf, sub.cert}, "b.example",
		ca.pool(), time.Now()); err != nil {
		t.Error(err)
	}
}

func FuzzOtherNames(f *testing.F) {
	f.Add([]byte{0x30, 0x00})
	f.Fuzz(func(t *testing.T, b []byte) {
		otherNames(&x509.Certificate{Extensions: []pkix.Extension{{Id: oidSAN, Value: b}}})
	})
}
