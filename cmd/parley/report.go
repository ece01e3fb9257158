package main

import (
	"fmt"
	"io"

	"parley/admin/api"

	"github.com/spf13/cobra"
)

func (a *app) reportCommand() *cobra.Command {
	return a.noun("report", "Reports about blocked people and messages: list, delete", a.reportList(), a.reportDelete())
}

func (a *app) reportList() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "list", Short: "List reports, newest first", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(cl *api.Client) error {
				all, err := pages(func(before string, limit int) ([]api.Report, error) {
					return api.ListReports.Do(c.Context(), cl.On(host), api.FindReports{Before: before, Limit: limit})
				}, func(r api.Report) string { return r.ID })
				if err != nil {
					return err
				}
				a.show(all, func(w io.Writer) {
					if len(all) == 0 {
						fmt.Fprintln(w, "Nobody has reported anybody.")
					}
					for _, r := range all {
						where := ""
						if r.Room != "" {
							where = " in " + printable(r.Room)
						}
						fmt.Fprintf(w, "%s  %s  %s reports %s for %s%s\n",
							r.ID, stamp(r.At), printable(r.By), printable(r.Whom), printable(r.Reason), where)
						for _, t := range append([]string{r.Text}, r.Messages...) {
							if t != "" {
								fmt.Fprintf(w, "    %s\n", printable(t))
							}
						}
					}
				})
				return nil
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func (a *app) reportDelete() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "delete ID...", Short: "Delete handled reports", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				return a.each(args, "deleted", func(id string) error {
					_, err := api.DeleteReport.Do(c.Context(), cl.On(host), api.InReport{ID: id})
					return err
				})
			})
		},
	}
	hostFlag(c, &host)
	return c
}
