package storetest

import "parley/store"

func profileFields(s *suite) {
	ext := store.ProfileField{
		Key:      "extension",
		Name:     "Extension",
		NameFR:   "Poste",
		Kind:     store.FieldNumber,
		Searched: true,
		Listed:   true,
		Place:    2,
	}
	site := store.ProfileField{
		Key:      "site",
		Name:     "Site",
		Kind:     store.FieldChoice,
		Choices:  []string{"Verona", "Mantua, old"},
		SeenBy:   store.ShownToAdmins,
		ByAdmins: true,
		Searched: true,
		Place:    1,
	}
	s.ok(s.st.SetProfileField(s.ctx, host, ext))
	s.ok(s.st.SetProfileField(s.ctx, host, site))
	s.ok(s.st.SetProfileField(s.ctx, other, store.ProfileField{Key: "extension", Name: "Other", Kind: store.FieldText}))
	s.same(must[[]store.ProfileField](s)(s.st.ProfileFields(s.ctx, host)), []store.ProfileField{site, ext})
	ext.Name, ext.Place, ext.Choices = "Ext.", 0, nil
	s.ok(s.st.SetProfileField(s.ctx, host, ext))
	s.same(must[[]store.ProfileField](s)(s.st.ProfileFields(s.ctx, host)), []store.ProfileField{ext, site})
	s.is(s.st.DeleteProfileField(s.ctx, host, "none"), store.ErrNotFound)

	p := store.Person{
		User:   store.User{Host: host, Name: "juliet", Keys: []byte{1}, Created: at(1)},
		Role:   store.RoleMember,
		Fields: map[string]string{"extension": "4711", "site": `Été "old", \1`},
	}
	s.ok(s.st.CreatePerson(s.ctx, p))
	s.user("romeo")
	s.same(must[store.Person](s)(s.st.Person(s.ctx, host, "juliet")), p)
	s.same(must[store.Person](s)(s.st.Person(s.ctx, host, "romeo")).Fields, map[string]string(nil))
	found := func(word string, open bool) int {
		_, n, err := s.st.People(s.ctx, host, store.PeopleFilter{Words: []string{word}, Open: open, Limit: 9})
		s.ok(err)
		return n
	}
	s.same([]int{found("471", true), found("éTÉ", false), found("été", true), found("nothing", false)},
		[]int{1, 1, 0, 0})
	directory := func(word string) int {
		_, n, _, err := s.st.FindUsers(s.ctx, host, []string{word}, store.UserPage{Max: 9})
		s.ok(err)
		return n
	}
	s.same([]int{directory("471"), directory("été"), directory("nothing")}, []int{1, 0, 0})
	ext.Searched = false
	s.ok(s.st.SetProfileField(s.ctx, host, ext))
	s.same([]int{found("471", false), directory("471")}, []int{0, 0})

	was, is, err := s.st.UpdatePerson(s.ctx, host, "juliet", func(p *store.Person) error {
		p.Fields["site"], p.Fields["extension"] = "", "12"
		return nil
	})
	s.ok(err)
	s.same(was, p)
	p.Fields = map[string]string{"extension": "12"}
	s.same(is, p)
	s.same(must[store.Person](s)(s.st.Person(s.ctx, host, "juliet")), p)
	_, _, err = s.st.UpdatePerson(s.ctx, host, "romeo", func(p *store.Person) error {
		p.Fields = map[string]string{"extension": "13"}
		return nil
	})
	s.ok(err)
	s.ok(s.st.DeleteProfileField(s.ctx, host, "extension"))
	s.same(must[store.Person](s)(s.st.Person(s.ctx, host, "romeo")).Fields, map[string]string(nil))
	s.same(len(must[[]store.ProfileField](s)(s.st.ProfileFields(s.ctx, other))), 1)

	_, _, err = s.st.UpdatePerson(s.ctx, host, "juliet", func(p *store.Person) error {
		p.Fields = map[string]string{"site": "Verona"}
		return nil
	})
	s.ok(err)
	s.deleted(host, "juliet")
	s.user("juliet")
	s.same(must[store.Person](s)(s.st.Person(s.ctx, host, "juliet")).Fields, map[string]string(nil))
}
