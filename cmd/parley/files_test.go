package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"parley/admin/api"

	"mellium.im/sasl"
	"mellium.im/xmpp"
	mjid "mellium.im/xmpp/jid"
)

// signInWith is a client of another make on an account of capulet.example.
func (d *dev) signInWith(m sasl.Mechanism, name, password string) error {
	conn, err := net.Dial("tcp", d.welcome["c2s"])
	if err != nil {
		return err
	}
	defer conn.Close()
	tc := d.trusting()
	tc.NextProtos, tc.ServerName = nil, "capulet.example"
	_, err = xmpp.NewClientSession(d.t.Context(), mjid.MustParse(name+"@capulet.example"), conn, xmpp.StartTLS(tc),
		xmpp.SASL("", password, m), xmpp.BindResource())
	return err
}

// Exports of Prosody and ejabberd are read, with their passwords; reading our own export gives the same data again.
func TestImport(t *testing.T) {
	for name, tc := range map[string]struct {
		files []string
		want  []string // in the export
		not   []string
		told  []string
	}{
		"prosody": {
			[]string{
				"prosody/juliet@capulet.example.xml", "prosody/romeo@capulet.example.xml",
				"prosody/nurse@capulet.example.xml",
			},
			[]string{
				"<body>Call me but love</body>", "<body>What man art thou?</body>", "stamp='2026-11-25T15:1",
				"<defaultnick>Jule</defaultnick>", "<fn><text>Juliet Capulet</text></fn>",
				" id='balcony@rooms.capulet.example'><conference", "name='The balcony' autojoin='true'>",
				">Jule</nick>", "mechanism='SCRAM-SHA-1'>", "<group>Friends</group>",
				"name='Romeo &amp; co' subscription='both'",
				"<presence xmlns='jabber:client' type='subscribe' from='nurse@capulet.example'",
				"subscription='none' ask='subscribe'",
			},
			[]string{"mechanism='SCRAM-SHA-256'"},
			nil,
		},
		"ejabberd": {
			// as *.xml may give them
			[]string{"ejabberd/20261125-151412_capulet_example.xml", "ejabberd/20261125-151412.xml"},
			[]string{
				"<FN>Juliet Capulet</FN>", "value='tybalt@capulet.example' action='deny'", "value='montague.example'",
				"<defaultnick>Jule</defaultnick>", "<offline-messages", "Commend me to thy lady",
				"name='Romeo &amp; co' subscription='both'",
				"<presence xmlns='jabber:client' type='subscribe' from='nurse@capulet.example'",
			},
			[]string{
				"urn:xmpp:mam:tmp", "1795619651157694",
				"<scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-256'",
			},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var files []string
			for _, f := range tc.files {
				files = append(files, filepath.Join("../../transfer/testdata", f))
			}
			d := startDev(t, "--host", "capulet.example")
			in := decode[api.Imported](t, d.ok("", append([]string{"--json", "user", "import"}, files...)...))
			if len(in.Users) != 3 || len(in.Problems) > 0 {
				t.Fatalf("%+v", in)
			}
			one := filepath.Join(d.dir, "one.xml")
			d.ok("", "user", "export", "--output", one)
			for _, user := range []string{"juliet", "romeo", "nurse"} {
				if err := d.signInWith(sasl.ScramSha1Plus, user, "wherefore"); err != nil {
					t.Errorf("%s: %v", user, err)
				}
			}
			if err := d.signInWith(sasl.ScramSha1Plus, "juliet", "romeo"); err == nil {
				t.Error("another password is good, too")
			}
			if i, err := os.Stat(one); err != nil || i.Mode().Perm() != 0o600 {
				t.Errorf("%v %v", i, err)
			}
			d.fails(exitFailed, "exists", "", "user", "export", "--output", one)
			got, err := os.ReadFile(one)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range tc.want {
				if !bytes.Contains(got, []byte(w)) {
					t.Errorf("no %s in\n%s", w, got)
				}
			}
			for _, w := range tc.not {
				if bytes.Contains(got, []byte(w)) {
					t.Errorf("%s in\n%s", w, got)
				}
			}
			// A second time: nothing happens, and with --merge nothing is twice.
			if code, out, _ := d.cli("", append([]string{"user", "import"}, files...)...); code != exitPartial ||
				strings.Count(out, "exists already") != 3 {
				t.Errorf("exit %d: %s", code, out)
			}
			code, out, errs := d.cli("", append([]string{"user", "import", "--merge"}, files...)...)
			if code != exitOK && !strings.Contains(out, "waiting messages are left out") {
				t.Errorf("exit %d: %s%s", code, out, errs)
			}
			if again := d.ok("", "user", "export"); again != string(got) {
				t.Errorf("merged, it is\n%s\nand was\n%s", again, got)
			}
			// In another server it is the same.
			other := startDev(t, "--host", "capulet.example")
			other.ok("", "user", "import", one)
			if again := other.ok("", "user", "export"); again != string(got) {
				t.Errorf("elsewhere, it is\n%s\nand was\n%s", again, got)
			}
		})
	}
}

// Prosody writes nodes in any order and leaves default settings out. A picture is imported to all its places, a picture
// that is too large to none, and the report names only what is lost.
func TestImportNodes(t *testing.T) {
	d := startDev(t, "--host", "capulet.example")
	user := func(name string, picture []byte) string {
		sum := sha1.Sum(picture)
		id, pubsub := hex.EncodeToString(sum[:]), "http://jabber.org/protocol/pubsub"
		form := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>" + pubsub +
			"#node_config</value></field>" +
			"<field var='pubsub#max_items'/><field var='pubsub#access_model'><value>whitelist</value></field></x>"
		return "<user xmlns='urn:xmpp:pie:0' name='" + name +
			"' password='Call-me-but-Love-1'><vCard xmlns='vcard-temp'><FN>" + name + "</FN><ROLE>heir</ROLE></vCard>" +
			"<pubsub xmlns='" + pubsub + "#owner'><configure node='storage:bookmarks'>" + form +
			"</configure><affiliations node='storage:bookmarks'><affiliation affiliation='owner' jid='" +
			name + "@capulet.example'/></affiliations><configure node='urn:xmpp:bookmarks:1'>" + form +
			"</configure><affiliations node='urn:xmpp:bookmarks:1'><affiliation affiliation='owner' jid='" +
			name + "@capulet.example'/></affiliations><subscriptions node='urn:xmpp:bookmarks:1'/></pubsub>" +
			"<pubsub xmlns='" + pubsub + "'><items node='urn:xmpp:avatar:metadata'><item id='" + id +
			"'><metadata xmlns='urn:xmpp:avatar:metadata'><info id='" + id +
			"' bytes='" + strconv.Itoa(len(picture)) + "' type='image/png'/></metadata></item></items>" +
			"<items node='urn:xmpp:bookmarks:1'><item id='tomb@rooms.capulet.example'>" +
			"<conference xmlns='urn:xmpp:bookmarks:1' name='Tomb' autojoin='true'/></item></items>" +
			"<items node='urn:xmpp:vcard4'><item id='current'>" +
			"<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>" + name +
			"</text></fn></vcard></item></items>" +
			"<items node='urn:xmpp:avatar:data'><item id='" + id + "'><data xmlns='urn:xmpp:avatar:data'>" +
			base64.StdEncoding.EncodeToString(picture) + "</data></item></items></pubsub></user>"
	}
	small, large := bytes.Repeat([]byte("small"), 100), bytes.Repeat([]byte("large"), 30_000)
	f := filepath.Join(d.dir, "prosody.xml")
	text := "<server-data xmlns='urn:xmpp:pie:0'><host jid='capulet.example'>" + user("juliet", small) +
		user("paris", large) + "</host></server-data>"
	if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := d.cli("", "user", "import", f)
	if want := "paris@capulet.example: the picture: it is larger than the limit for items of a node; raise " +
		"pubsub.item_size, and import the file again with --merge\n" +
		"  taken  left out \n      2         0 accounts\n      2         0 passwords\n      4         0 cards\n" +
		"      1         1 pictures\n      2         0 bookmarks\n"; code != exitPartial || out != want {
		t.Errorf("exit %d: %s\n%s%s", code, want, out, errs)
	}
	got := d.ok("", "user", "export", "juliet@capulet.example")
	for _, want := range []string{"<BINVAL>" + base64.StdEncoding.EncodeToString(small) +
		"</BINVAL>", "<ROLE>heir</ROLE>", "<info ", " autojoin='true'"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if got := d.ok("", "user", "export", "paris@capulet.example"); strings.Contains(got, "<info ") ||
		!strings.Contains(got, " autojoin='true'") {
		t.Errorf("paris has %s", got)
	}
}

func TestImportRefuses(t *testing.T) {
	d := startDev(t, "--host", "capulet.example")
	write := func(name, text string) string {
		t.Helper()
		f := filepath.Join(d.dir, name)
		if err := os.MkdirAll(filepath.Dir(f), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return f
	}
	const head, xi = "<?xml version='1.0'?>" +
		"<server-data xmlns='urn:xmpp:pie:0' xmlns:xi='http://www.w3.org/2001/XInclude'>", "<xi:include href='"
	write("secret", "no XML")
	for what, tc := range map[string]struct{ text, want string }{
		"another format":   {"<users/>", "not an XEP-0227 file"},
		"no XML":           {"hello", "not an XEP-0227 file"},
		"cut short":        {head + "<host jid='capulet.example'><user name='a' password='Correct-Horse-7'>", "EOF"},
		"a file elsewhere": {head + xi + "../../../../etc/passwd'/></server-data>", "escapes"},
		"an absolute path": {head + xi + "/etc/passwd'/></server-data>", "includes no file beside it"},
		"a page":           {head + xi + "http://example.org/x'/></server-data>", "includes no file beside it"},
		"no such file":     {head + xi + "nobody.xml'/></server-data>", "no such file"},
		"entities":         {"<!DOCTYPE x [<!ENTITY a 'b'>]>" + head + "</server-data>", "document type"},
	} {
		code, out, errs := d.cli("", "user", "import", write("in.xml", tc.text))
		if code != exitFailed || !strings.Contains(errs, tc.want) {
			t.Errorf("%s: exit %d: %s%s", what, code, out, errs)
		}
	}
	write("hosts/capulet.example.xml",
		"<?xml version='1.0'?><host xmlns='urn:xmpp:pie:0' xmlns:xi='http://www.w3.org/2001/XInclude' "+
			"jid='capulet.example'>"+xi+"capulet.example/tybalt.xml'/></host>")
	write("hosts/capulet.example/tybalt.xml",
		"<?xml version='1.0'?><user xmlns='urn:xmpp:pie:0' name='tybalt' password='King-of-Cats-1'>"+
			"<query xmlns='jabber:iq:private'>"+
			"<x xmlns='http://www.w3.org/2001/XInclude' href='x'/></query><odd xmlns='urn:odd'/>"+
			"<account xmlns='urn:parley:account:0' role='owner' retention='soon'><app-password id='1'/>"+
			"<displayed chat='a@b/c' id='1'/><approved jid='tybalt@capulet.example'/></account>"+
			"<vCard xmlns='vcard-temp'><NOTE>"+strings.Repeat("x", 200_000)+"</NOTE></vCard>"+
			"<archive xmlns='urn:xmpp:pie:0#mam'><result xmlns='urn:xmpp:mam:2' id='1'>"+
			"<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2010-07-10T23:08:25Z'/>"+
			"<message xmlns='jabber:client' to='tybalt@capulet.example' from='romeo@capulet.example/o' type='chat'>"+
			"<body>Good</body></message></forwarded></result>"+
			"<result xmlns='urn:xmpp:mam:2' id='2'/></archive></user>")
	code, out, errs := d.cli("", "--json", "user", "import", write("main.xml",
		head+xi+"hosts/capulet.example.xml'/><host jid='elsewhere.example'><user name='x'/></host></server-data>"))
	if code != exitPartial {
		t.Fatalf("exit %d: %s", code, errs)
	}
	in := decode[api.Imported](t, out)
	for _, want := range []string{
		"elsewhere.example", "urn:odd", "the card is too large", "an archived message",
		"was owner on the server that it comes from", "how long its messages are kept: it is malformed",
		"app-password: it is malformed", "displayed: it is malformed", "approved: it is malformed",
	} {
		if !strings.Contains(strings.Join(in.Problems, "\n"), want) {
			t.Errorf("%s is not told: %q", want, in.Problems)
		}
	}
	if in.Messages != 1 || len(in.Users) != 1 {
		t.Errorf("%+v", in)
	}
	if err := d.signInWith(sasl.ScramSha256Plus, "tybalt", "King-of-Cats-1"); err != nil {
		t.Error(err)
	}
	// The message's time is older than any id can express: a stamp in the message says it.
	if got := d.ok("", "user", "export", "tybalt"); !strings.Contains(got, "stamp='2010-07-10T23:08:25.000000Z'") ||
		strings.Contains(got, "romeo'") {
		t.Error(got)
	}
	if got := d.ok("", "user", "export", "tybalt", "--archive=false",
		"--passwords=false"); strings.Contains(got, "scram") || strings.Contains(got, "Good") {
		t.Error(got)
	}
	d.fails(exitFailed, "there is no account", "", "user", "export", "nobody")
}

// A file that is part of another file is refused; the error says to name the other.
func TestImportOfAPart(t *testing.T) {
	d := startDev(t, "--host", "capulet.example")
	d.fails(exitFailed, "this is a part of an export: name the file that includes it", "", "user", "import",
		"../../transfer/testdata/ejabberd/20261125-151412_capulet_example.xml")
	if us := decode[[]userRecord](t, d.ok("", "--json", "user", "list")); len(us) > 0 {
		t.Errorf("%+v", us)
	}
}
