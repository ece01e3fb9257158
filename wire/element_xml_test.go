package wire

import (
	"errors"
	"strings"
	"testing"
)

func TestElementRoundTrip(t *testing.T) {
	for _, c := range []struct{ in, ns, out string }{
		{`<a/>`, "x", `<a/>`},
		{`<a xmlns='y'><b/></a>`, "x", `<a xmlns='y'><b/></a>`},
		{`<a><b xmlns=''/><c/></a>`, "x", `<a><b xmlns=''/><c/></a>`},
		{`<p:a xmlns:p='y'><b/><p:c/></p:a>`, "x", `<a xmlns='y'><b xmlns='x'/><c/></a>`},
		{` <a>1&amp;2<![CDATA[<3>]]>4<b/>5</a> `, "", `<a>1&amp;2&lt;3&gt;4<b/>5</a>`},
		{`<a p:b='1' xmlns:p='y' q:c="2'&#x22;" xmlns:q='y' xml:lang='de'/>`, "",
			`<a xmlns:ns000='y' ns000:b='1' ns000:c='2&apos;&quot;' xml:lang='de'/>`},
		{"<a b='1\n2&#10;3'>x\r\ny&#13;</a>", "", "<a b='1 2&#10;3'>x\ny&#13;</a>"},
		{`<größe länge='1'/>`, "", `<größe länge='1'/>`},
	} {
		e, err := ParseElement([]byte(c.in), c.ns)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if got := string(e.AppendXML(nil, c.ns)); got != c.out {
			t.Errorf("%s:\n got %s\nwant %s", c.in, got, c.out)
		}
	}
}

func TestParseElementRefuses(t *testing.T) {
	for in, want := range map[string]string{
		``:                 "not-well-formed",
		`<`:                "not-well-formed",
		`<a`:               "not-well-formed",
		`<a>`:              "not-well-formed",
		`<a>x`:             "not-well-formed",
		`<a></b>`:          "not-well-formed",
		`<a/><b/>`:         "not-well-formed",
		`<a b='1' b='2'/>`: "not-well-formed",
		`<a p:b='1' q:b='2' xmlns:p='y' xmlns:q='y'/>`: "not-well-formed",
		`<p:a/>`:             "not-well-formed",
		`<a xmlns:p=''/>`:    "not-well-formed",
		`<a xmlns:xml='y'/>`: "not-well-formed",
		`<a xmlns='http://www.w3.org/2000/xmlns/'/>`: "not-well-formed",
		`<a:b:c xmlns:a='y'/>`:                       "not-well-formed",
		`<a>&nbsp;</a>`:                              "restricted-xml",
		`<a><!-- x --></a>`:                          "restricted-xml",
		`<a><?x?></a>`:                               "restricted-xml",
		`<a>&#0;</a>`:                                "not-well-formed",
		"<a>\x01</a>":                                "not-well-formed",
		"<a>\xff</a>":                                "unsupported-encoding",
		strings.Repeat("<a>", maxDepth+1):            "policy-violation",
		`<a>` + strings.Repeat(" ", 4<<20):           "policy-violation",
	} {
		_, err := ParseElement([]byte(in), "")
		var se *StreamError
		if !errors.As(err, &se) || se.Condition != want {
			t.Errorf("%.60s: %v, want %s", in, err, want)
		}
	}
}

func TestEscapedIsAlwaysLegal(t *testing.T) {
	e := T("x", "a", "a\x00b\xffc\uFFFEd\ré").Set("b", "<\t'\x1f\xc3(")
	got, err := ParseElement(e.AppendXML(nil, ""), "")
	if err != nil {
		t.Fatal(err)
	}
	if got.Text() != "a\uFFFDb\uFFFDc\uFFFDd\ré" || got.Attr("b") != "<\t'\uFFFD\uFFFD(" {
		t.Fatalf("%q %q", got.Text(), got.Attr("b"))
	}
}
