package web

import (
	"net/mail"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"parley/internal/sheet"
	"parley/people"
	"parley/store"
)

// columns are the columns that a table of people can have, under the names that the page shows.
var columns = []string{
	"full_name",
	"first_name",
	"last_name",
	"email",
	"name",
	"phone",
	"title",
	"department",
	"role",
	"groups",
	"lang",
}

// columnsWith returns the columns with the keys of profile fields.
func columnsWith(fs []store.ProfileField) []string {
	all := slices.Clone(columns)
	for _, f := range fs {
		all = append(all, f.Key)
	}
	return all
}

// headsOf are the headings that columns of profile fields may have, as plainly writes them: the key, and the names in
// both languages. A name of an earlier field, or one in heads, is not used for a later field.
func headsOf(fs []store.ProfileField) map[string]string {
	m := make(map[string]string)
	for _, name := range []func(f store.ProfileField) string{
		func(f store.ProfileField) string { return f.Key },
		func(f store.ProfileField) string { return f.Name },
		func(f store.ProfileField) string { return f.NameFR },
	} {
		for _, f := range fs {
			head := plainly(name(f))
			if head != "" && heads[head] == "" && m[head] == "" {
				m[head] = fieldPrefix + f.Key
			}
		}
	}
	return m
}

// heads are the names that columns go by in lists of other programs, in English, French, German and Spanish, as plainly
// writes them. Three depend on the other columns: see chooseColumns.
var heads = readHeads(map[string]string{
	"full_name": "full name, fullname, display name, displayname, complete name, nom complet, nom et prenom, nom " +
		"prenom, prenom et nom, prenom nom, nom affiche, nom d affichage, vollstandiger name, voller name, " +
		"anzeigename, vor und nachname, vorname und nachname, vorname nachname, nombre completo, nombre y " +
		"apellido, nombre y apellidos",
	"first_name": "first name, firstname, first, given name, forename, prenom, vorname, rufname, nombre de pila",
	"last_name": "last name, lastname, last, surname, family name, nom de famille, nachname, familienname, " +
		"zuname, apellido, apellidos",
	"email": "email, e mail, mail, email address, e mail address, mail address, e mail 1 value, work email, primary " +
		"email, courriel, adresse e mail, adresse email, adresse mail, adresse electronique, adresse de courriel, " +
		"adresse courriel, mel, courriel professionnel, e mail professionnel, email professionnel, mail " +
		"professionnel, adresse e mail professionnelle, e mail adresse, email adresse, mailadresse, mail adresse, " +
		"correo, correo electronico, direccion de correo, direccion de correo electronico",
	"name": "username, user name, user, login, login name, account, account name, identifiant, nom d utilisateur, " +
		"utilisateur, compte, benutzername, benutzer, anmeldename, kennung, konto, usuario, nombre de usuario, cuenta",
	"phone": "phone, phone number, telephone, telephone number, tel, mobile, mobile phone, mobile number, cell, cell " +
		"phone, work phone, business phone, gsm, portable, telephone portable, telephone mobile, numero de " +
		"telephone, telefon, telefonnummer, handy, handynummer, mobil, mobiltelefon, telefono, telefono movil, " +
		"movil, numero de telefono",
	"title": "title, job title, job, position, fonction, poste, titre, intitule du poste, metier, titel, funktion, " +
		"stelle, berufsbezeichnung, cargo, puesto, titulo",
	"department": "department, dept, team, unit, division, departement, service, equipe, direction, pole, abteilung, " +
		"bereich, team name, departamento, equipo, area",
	"role":   "role, rolle, rol",
	"groups": "groups, group, groupes, groupe, gruppen, gruppe, grupos, grupo",
	"lang":   "lang, language, preferred language, locale, langue, sprache, idioma, lengua",
})

func readHeads(by map[string]string) map[string]string {
	m := make(map[string]string)
	for column, names := range by {
		for name := range strings.SplitSeq(names, ", ") {
			m[name] = column
		}
		m[plainly(column)] = column
	}
	return m
}

// plainly writes a text in small letters without accents, signs and parts in brackets.
func plainly(s string) string {
	var b strings.Builder
	depth := 0
	for _, r := range norm.NFD.String(s) {
		switch {
		case r == '(' || r == '[':
			depth++
		case r == ')' || r == ']':
			depth = max(0, depth-1)
		case depth > 0, unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r):
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// chosen maps the columns of a table to their meaning and lists the columns that are ignored.
type chosen struct {
	at     map[string][]int // the first that is filled in counts
	head   []string
	unused []string
	own    []store.ProfileField // profile fields that the table has columns for
}

// chooseColumns reads the row that names the columns. "Name" and "Nom" are family names beside first names; "Nom" and
// "Nombre" are full names otherwise, and "Name" is where it has what no account is called.
func chooseColumns(rows []sheet.Row, fs []store.ProfileField) chosen {
	c := chosen{at: make(map[string][]int), head: rows[0].Cells}
	var plain []string
	for _, h := range c.head {
		plain = append(plain, plainly(h))
	}
	own := headsOf(fs)
	has := func(column string) bool {
		return slices.ContainsFunc(plain, func(h string) bool { return heads[h] == column })
	}
	for i, h := range plain {
		column := heads[h]
		switch {
		case h == "nombre" && has("last_name"):
			column = "first_name"
		case h == "nom" || h == "nombre" || h == "name":
			switch {
			case has("first_name") && !has("last_name") && !has("full_name"):
				column = "last_name"
			case h != "name" || !has("full_name") && !has("last_name") && spaced(rows[1:], i):
				column = "full_name"
			}
		}
		if column == "" {
			column = own[h]
		}
		if column == "" {
			if h != "" {
				c.unused = append(c.unused, strings.TrimSpace(c.head[i]))
			}
			continue
		}
		c.at[column] = append(c.at[column], i)
	}
	for _, f := range fs {
		if len(c.at[fieldPrefix+f.Key]) > 0 {
			c.own = append(c.own, f)
		}
	}
	return c
}

// chooseHead finds the row that names the columns, and gives the rows from there on: some programs write a title above.
func chooseHead(rows []sheet.Row, fs []store.ProfileField) ([]sheet.Row, chosen) {
	for i := range min(len(rows), 5) {
		if c := chooseColumns(rows[i:], fs); c.named() {
			return rows[i:], c
		}
	}
	return rows, chooseColumns(rows, fs)
}

// spaced says whether a column has texts of several words: names of people.
func spaced(rows []sheet.Row, i int) bool {
	return slices.ContainsFunc(rows, func(r sheet.Row) bool {
		return i < len(r.Cells) && strings.Contains(clean(r.Cells[i]), " ")
	})
}

// clean returns the visible text of a cell.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '\u200b' || r == '\ufeff' || r == '\u00ad' { // copied from pages and mails
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(sheet.Plain(strings.TrimSpace(s)))
}

// get returns the text of a row in a column.
func (c *chosen) get(r sheet.Row, column string) string {
	for _, i := range c.at[column] {
		if i < len(r.Cells) {
			if s := clean(r.Cells[i]); s != "" {
				return s
			}
		}
	}
	return ""
}

// title returns the table's own name for a column.
func (c *chosen) title(column string) string {
	if column == "full_name" && len(c.at[column]) == 0 && len(c.at["last_name"]) > 0 {
		column = "last_name"
	}
	for _, i := range c.at[column] {
		return strings.TrimSpace(c.head[i])
	}
	return column
}

// named says whether a table names people.
func (c *chosen) named() bool {
	return len(c.at["email"])+len(c.at["full_name"])+len(c.at["first_name"])+len(c.at["last_name"]) > 0
}

// person reads a person from a row.
func (c *chosen) person(r sheet.Row) people.NewPerson {
	n := people.NewPerson{
		Name:       c.get(r, "name"),
		FullName:   c.get(r, "full_name"),
		Email:      c.get(r, "email"),
		Phone:      c.get(r, "phone"),
		Title:      c.get(r, "title"),
		Department: c.get(r, "department"),
		Role:       meant(roleWords, c.get(r, "role")),
		Lang:       langOf(c.get(r, "lang")),
	}
	if n.FullName == "" {
		n.FullName = strings.TrimSpace(c.get(r, "first_name") + " " + c.get(r, "last_name"))
	}
	if len(n.Email) > 7 && strings.EqualFold(n.Email[:7], "mailto:") {
		n.Email = n.Email[7:]
	}
	// "Ann One <ann@work.example>", as address books copy it
	if a, err := mail.ParseAddress(n.Email); err == nil && strings.HasSuffix(n.Email, ">") {
		n.Email = a.Address
		if n.FullName == "" {
			n.FullName = a.Name
		}
	}
	n.Groups = strings.FieldsFunc(c.get(r, "groups"), func(r rune) bool {
		return strings.ContainsRune(",;|", r) || unicode.IsSpace(r)
	})
	if n.Role == "" {
		n.Role = store.RoleMember
	}
	for _, f := range c.own {
		if v := c.get(r, fieldPrefix+f.Key); v != "" {
			if n.Fields == nil {
				n.Fields = make(map[string]string)
			}
			n.Fields[f.Key] = v
		}
	}
	return n
}

// roleWords and langWords are the names of roles and languages in the languages of imported lists.
var (
	roleWords = map[string]string{
		"membre":          store.RoleMember,
		"mitglied":        store.RoleMember,
		"miembro":         store.RoleMember,
		"user":            store.RoleMember,
		"responsable":     store.RoleSupervisor,
		"superviseur":     store.RoleSupervisor,
		"administrator":   store.RoleAdmin,
		"administrateur":  store.RoleAdmin,
		"administratrice": store.RoleAdmin,
		"administratorin": store.RoleAdmin,
		"administrador":   store.RoleAdmin,
		"administradora":  store.RoleAdmin,
		"proprietaire":    store.RoleOwner,
		"eigentumer":      store.RoleOwner,
		"inhaber":         store.RoleOwner,
		"propietario":     store.RoleOwner,
	}
	langWords = map[string]string{"english": "en", "anglais": "en", "englisch": "en", "ingles": "en", "eng": "en",
		"french": "fr", "francais": "fr", "franzosisch": "fr", "frances": "fr", "fra": "fr", "fre": "fr"}
)

func meant(words map[string]string, s string) string {
	if w, ok := words[plainly(s)]; ok {
		return w
	}
	return strings.ToLower(s)
}

// langOf returns a language's code: "fr" for "Français", "fr-CA" and "fr_FR".
func langOf(s string) string {
	s = meant(langWords, s)
	if i := strings.IndexAny(s, "-_"); i > 0 {
		s = s[:i]
	}
	return s
}
