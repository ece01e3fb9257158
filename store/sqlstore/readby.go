package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"

	"parley/store"
)

// ReadBy looks each account up by the key: no index finds them by the conversation.
func (s *Store) ReadBy(ctx context.Context, host, chat string, id store.ID, among []string) (who []string, err error) {
	if len(among) == 0 {
		return nil, nil
	}
	var list any = among
	owners := "owner = ANY($4)"
	if !s.pg {
		b, err := json.Marshal(among)
		if err != nil {
			return nil, err
		}
		list, owners = string(b), "owner IN (SELECT value FROM json_each($4))"
	}
	err = s.rows(ctx, func(r *sql.Rows) error {
		var owner string
		err := r.Scan(&owner)
		who = append(who, owner)
		return err
	}, "SELECT owner FROM displayed WHERE host = $1 AND chat = $2 AND id >= $3 AND "+owners+" ORDER BY owner",
		host, chat, int64(id), list)
	return who, err
}
