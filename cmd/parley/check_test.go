package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/admin"
)

// writeCert makes a certificate for names that is good until then, and its key.
func writeCert(t *testing.T, dir, name string, until time.Time, names ...string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: names[0]},
		DNSNames:     names,
		NotBefore:    until.Add(-1000 * time.Hour),
		NotAfter:     until,
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	for file, b := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: der},
		key:  {Type: "PRIVATE KEY", Bytes: pkcs8},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// checkRig is a configuration of example.org, whose certificate is given.
func checkRig(t *testing.T, hosts, cert, key, more string) (file string) {
	t.Helper()
	dir := shortDir(t)
	t.Chdir(dir)
	t.Setenv("PARLEY_SOCKET", "")
	t.Setenv("PARLEY_CONFIG", "")
	file = filepath.Join(dir, "parley.yaml")
	text := "hosts: " + hosts + "\ndata_dir: " + dir + "/data\ntls:\n  certificate: " + cert +
		"\n  key: " + key + "\n" +
		"listeners:\n  c2s:\n    addresses: [\"127.0.0.1:0\"]\n  c2s_tls:\n    addresses: []\n  websocket:\n" +
		"    addresses: []\n  metrics:\n    addresses: []\n" +
		"federation:\n  addresses: [\"127.0.0.1:0\"]\n  tls_addresses: []\n" + more
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// If certificates keep the server from starting, the check fails in the same words.
func TestCheckSaysWhatServeSays(t *testing.T) {
	dir, soon := t.TempDir(), time.Now().Add(24*time.Hour)
	cert, key := writeCert(t, dir, "good", soon, "example.org", "*.example.org")
	_, other := writeCert(t, dir, "other", soon, "example.org")
	text, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string, text string) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	locked := file("locked.key", strings.ReplaceAll(string(text), "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"))
	old := file("old.key", strings.Replace(strings.ReplaceAll(string(text),
		"PRIVATE KEY", "EC PRIVATE KEY"), "KEY-----\n",
		"KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n", 1))
	for name, c := range map[string]struct{ cert, key, want string }{
		"the key of another":    {cert, other, "tls.key: " + other + " is not the key of " + cert},
		"a passphrase":          {cert, locked, "tls.key: " + locked + " has a passphrase"},
		"a passphrase of old":   {cert, old, "tls.key: " + old + " has a passphrase"},
		"exchanged":             {key, cert, "tls.certificate: " + key + " holds a key and no certificate"},
		"the certificate twice": {cert, cert, "tls.key: " + cert + " holds a certificate and no key"},
		"empty":                 {file("empty", ""), key, "holds no certificate in PEM"},
		"no key":                {cert, file("text", "hello"), "holds no key in PEM"},
		"not there":             {cert, filepath.Join(dir, "none"), "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			checkRig(t, "[example.org]", c.cert, c.key, "")
			code, _, checked := cli(t, "", "check")
			if code != exitFailed || !strings.Contains(checked, c.want) {
				t.Errorf("check: exit %d: %s", code, checked)
			}
			code, _, served := cli(t, "", "serve")
			if code != exitFailed || served != checked {
				t.Errorf("serve: exit %d: %s\ncheck said %s", code, served, checked)
			}
		})
	}
}

// The check fails for a certificate that others would refuse. The server starts with it all the same, and logs an
// error: a running server would go on with it too.
func TestCheckOfCertificatesThatOthersRefuse(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	for name, c := range map[string]struct {
		until time.Time
		names []string
		want  string
	}{
		"expired": {now.Add(-time.Hour), []string{"example.org", "*.example.org"},
			"it expired on " + now.Add(-time.Hour).UTC().Format("2006-01-02")},
		"not yet": {now.Add(2000 * time.Hour), []string{"example.org", "*.example.org"}, "it is not valid before"},
		"foreign": {now.Add(time.Hour), []string{"www.example.net", "example.net"},
			"it is not valid for example.org, only for www.example.net, example.net"},
	} {
		t.Run(name, func(t *testing.T) {
			cert, key := writeCert(t, dir, strings.ReplaceAll(name, " ", "-"), c.until, c.names...)
			checkRig(t, "[example.org]", cert, key, "")
			if code, _, errs := cli(t, "", "check"); code != exitFailed ||
				!strings.Contains(errs, "tls.certificate: "+cert+": "+c.want) {
				t.Errorf("check: exit %d: %s", code, errs)
			}
			log := serveUntil(t, "clients and other servers will refuse the certificate")
			if !strings.Contains(log, "level=ERROR") || !strings.Contains(log, c.want) {
				t.Errorf("serve says %s", log)
			}
		})
	}
}

// serveUntil runs the server as a process until its log has this and the server listens.
func serveUntil(t *testing.T, text string) string {
	t.Helper()
	c := command(t, "serve")
	log := new(lockedBuffer)
	c.Stderr, c.Stdout = log, log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	deadline := time.Now().Add(60 * time.Second)
	for !strings.Contains(log.String(), text) || !strings.Contains(log.String(), "listening") {
		select {
		case err := <-ended:
			t.Fatalf("the server has ended: %v\n%s", err, log)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("the log lacks %q:\n%s", text, log)
		}
	}
	c.Process.Signal(os.Interrupt)
	if err := <-ended; err != nil {
		t.Errorf("the server ends with %v\n%s", err, log)
	}
	return log.String()
}

// A certificate without the rooms' domain passes the check, with a warning if there is federation.
func TestCheckWarnsOfServices(t *testing.T) {
	cert, key := writeCert(t, t.TempDir(), "bare", time.Now().Add(time.Hour), "example.org")
	checkRig(t, "[example.org]", cert, key, "")
	code, out, errs := cli(t, "", "check")
	if code != exitOK || !strings.Contains(out, ": good\n") ||
		!strings.Contains(out, "warning: tls.certificate: "+cert+": it is not valid for groups.example.org") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, out, errs := cli(t, "", "check", "--set", "federation.enabled=false"); code != exitOK ||
		strings.Contains(out, "warning") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

// A domain in letters of its own is in certificates in another form.
func TestCheckOfADomainOutsideASCII(t *testing.T) {
	cert, key := writeCert(t, t.TempDir(), "idn", time.Now().Add(time.Hour), "xn--mnchen-3ya.example",
		"*.xn--mnchen-3ya.example")
	checkRig(t, "[münchen.example]", cert, key, "")
	if code, out, errs := cli(t, "", "check"); code != exitOK || strings.Contains(out, "warning") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

// Characters that no domain may have are named, and each mistake is reported once.
func TestCheckOfHosts(t *testing.T) {
	cert, key := writeCert(t, t.TempDir(), "c", time.Now().Add(time.Hour), "example.org", "*.example.org")
	for hosts, want := range map[string]string{
		`["“example.org”"]`:                   `hosts[0].domain: "“example.org”" is not a domain: the character “ (U+201C) is not allowed`,
		`["exam\u200bple.org"]`:               `the character U+200B, which is hard to see`,
		`["exam\u00a0ple.org"]`:               `the character U+00A0, which is hard to see`,
		`["my–chat.org"]`:                     `the character – (U+2013)`,
		`["my_chat.org"]`:                     `the character _ (U+005F)`,
		`["https://example.org"]`:             `the character : (U+003A)`,
		`["-chat.org"]`:                       `hosts[0].domain: "-chat.org" is not a domain`,
		`[example.org, EXAMPLE.org]`:          `configuration: hosts[1].domain: example.org is listed twice, first in hosts[0]`,
		`[example.org, "example.org."]`:       `configuration: hosts[1].domain: example.org is listed twice, first in hosts[0]`,
		`[example.org, b.org, example.org]`:   `configuration: hosts[2].domain: example.org is listed twice, first in hosts[0]`,
		`["` + strings.Repeat("a", 64) + `"]`: `is not a valid domain in DNS`,
	} {
		checkRig(t, hosts, cert, key, "")
		code, _, errs := cli(t, "", "check")
		if code != exitFailed || !strings.Contains(errs, want) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: exit %d: %s", hosts, code, errs)
		}
		if code, _, served := cli(t, "", "serve"); code != exitFailed || served != errs {
			t.Errorf("%s: serve: exit %d: %s", hosts, code, served)
		}
	}
	for more, want := range map[string]string{
		"web:\n  url: https://“chat.example.org”\n":                "web.url: ",
		"mail:\n  host: ‘smtp.example.org’\n  from: a@b.example\n": "mail.host: ",
		"upload:\n  url: https://files…example.org/u\n":            "upload.url: ",
		"proxy65:\n  address: “10.0.0.1”\n":                        "proxy65.address: ",
	} {
		checkRig(t, "[example.org]", cert, key, more)
		if code, _, errs := cli(t, "", "check"); code != exitFailed || !strings.Contains(errs, want) ||
			!strings.Contains(errs, "is not allowed") {
			t.Errorf("%s: exit %d: %s", more, code, errs)
		}
	}
}

// A variable with our prefix that names no key is refused, like an unknown key in the file.
func TestCheckOfVariables(t *testing.T) {
	cert, key := writeCert(t, t.TempDir(), "c", time.Now().Add(time.Hour), "example.org", "*.example.org")
	checkRig(t, "[example.org]", cert, key, "")
	for name, value := range map[string]string{
		"PARLEY_SOCKET":            "",
		"PARLEY_TEST_ANYTHING":     "1",
		"PARLEY_LOG_LEVEL":         "warn", // ours
		"PARLEY_SERVICE_HOST":      "10.0.0.1",
		"PARLEY_SERVICE_PORT":      "5222",
		"PARLEY_SERVICE_PORT_XMPP": "5222",
		"PARLEY_PORT":              "tcp://10.0.0.1:5222",
		// Kubernetes'
		"PARLEY_PORT_5222_TCP":          "tcp://10.0.0.1:5222",
		"PARLEY_PORT_5222_TCP_ADDR":     "10.0.0.1",
		"PARLEY_WEB_PORT_443_TCP_PROTO": "tcp",
	} {
		t.Setenv(name, value)
	}
	if code, _, errs := cli(t, "", "check"); code != exitOK {
		t.Errorf("exit %d: %s", code, errs)
	}
	t.Setenv("PARLEY_LIMITS_STANZA_SISE", "1MiB")
	want := "PARLEY_LIMITS_STANZA_SISE: no key has this environment variable: did you mean PARLEY_LIMITS_STANZA_SIZE?"
	for _, c := range []string{"check", "serve", "dev"} {
		if code, _, errs := cli(t, "", c); code != exitFailed || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d: %s", c, code, errs)
		}
	}
}

// Setup looks with the eyes of the user that the server will run as.
func TestSetupLooksAsTheServersUser(t *testing.T) {
	t.Setenv("TMPDIR", "/tmp") // which the unit hides
	dir := setupHere(t)
	cert, key := writeCert(t, dir, "c", time.Now().Add(time.Hour), "example.org", "*.example.org")
	setup := func(args ...string) []admin.Finding {
		t.Helper()
		code, out, errs := cli(t, "", append([]string{"--json", "setup", "example.org", "--force", "--dir", "conf",
			"--resolver", zone(t), "--certificate", cert, "--key", key}, args...)...)
		var d setupAnswer
		if err := json.Unmarshal([]byte(out), &d); code != exitPartial || err != nil {
			t.Fatalf("exit %d: %v %s%s", code, err, out, errs)
		}
		return d.Findings
	}
	says := func(fs []admin.Finding, what, state, text string) {
		t.Helper()
		if f := finding(fs, "server's user", what); f.State != state || !strings.Contains(f.Text, text) ||
			state == admin.Failed && f.Todo == "" {
			t.Errorf("%s: %+v", what, f)
		}
	}
	fs := setup("--user", "nosuchuser", "--data-dir", "/var/lib/nosuchuser")
	says(fs, "nosuchuser", admin.Failed, "there is no user nosuchuser")
	if f := finding(fs, "server's user", "nosuchuser"); !strings.Contains(f.Todo,
		"useradd --system --user-group --home-dir /var/lib/nosuchuser") {
		t.Errorf("%+v", f)
	}

	if os.Getuid() != 0 {
		t.Skip("files of somebody else are made by root")
	}
	says(fs, cert, admin.Failed, "the unit hides /tmp")
	chmod := func(name string, mode os.FileMode) {
		t.Helper()
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	chmod(dir, 0o755)
	chmod(cert, 0o644)
	fs = setup("--user", "daemon", "--certificate", "/etc/passwd")
	says(fs, "daemon", admin.OK, "")
	says(fs, key, admin.Failed, "daemon may not read "+key)
	says(fs, "/etc/passwd", admin.OK, "")
	chmod(dir, 0o750)
	says(setup("--user", "daemon"), cert, admin.Failed, "daemon may not go into "+dir)
	if out, err := exec.Command("chgrp", "daemon", dir, key).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	chmod(key, 0o640)
	fs = setup("--user", "daemon")
	says(fs, cert, admin.Failed, "the unit hides /tmp")
	says(fs, key, admin.Failed, "the unit hides /tmp")

	chmod(key, 0o600)
	if err := os.Symlink(key, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	key = filepath.Join(dir, "link")
	says(setup("--user", "daemon"), key, admin.Failed, "daemon may not read "+dir+"/c.key")
}
