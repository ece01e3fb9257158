package api

import (
	"context"
	"net/http"

	"parley/webchat"
	"parley/wire/jid"
)

// MakeTaskInput makes a task in a conversation.
type MakeTaskInput struct {
	InConversation
	Body webchat.NewTask
}

// TasksInQuery lists the tasks of a conversation.
type TasksInQuery struct {
	InConversation
	Done   bool   `query:"done" doc:"those that are done, not those that are open"`
	Before string `query:"before" maxLength:"13" doc:"more of the answer before"`
}

// TasksQuery lists the caller's tasks.
type TasksQuery struct {
	Which  string `query:"which" enum:"open,done,made" default:"open" doc:"for the caller, or made by the caller"`
	Before string `query:"before" maxLength:"13" doc:"more of the answer before"`
}

// OneTask names a task in a path.
type OneTask struct {
	Task string `path:"task" maxLength:"13"`
}

// ChangeTaskInput changes a task.
type ChangeTaskInput struct {
	OneTask
	Body webchat.TaskChange
}

// Operations on tasks: what people of a conversation are to do.
var (
	MakeTask = created(chats[MakeTaskInput, webchat.Task](
		"make-task", http.MethodPost, "/conversations/{id}/tasks", "messages:write",
		"Make a task and tell the people of the conversation",
	))
	ListTasksIn = chats[TasksInQuery, webchat.TaskList](
		"list-tasks-in", http.MethodGet, "/conversations/{id}/tasks", "messages:read",
		"Tasks of a conversation, newest first",
	)
	ListTasks = chats[TasksQuery, webchat.TaskList](
		"list-tasks", http.MethodGet, "/tasks", "messages:read",
		"The caller's tasks, newest first",
	)
	GetTask = chats[OneTask, webchat.Task](
		"get-task", http.MethodGet, "/tasks/{task}", "messages:read",
		"A task",
	)
	ChangeTask = chats[ChangeTaskInput, webchat.Task](
		"change-task", http.MethodPatch, "/tasks/{task}", "messages:write",
		"Change a task, or tick it off: the people of the conversation are told that it is done",
	)
	DeleteTask = chats[OneTask, None](
		"delete-task", http.MethodDelete, "/tasks/{task}", "messages:write",
		"Delete a task of one's own, or as a moderator somebody else's",
	)
)

// seesTask lets in people who may see the task that the operation names.
func (s *Server) seesTask(ctx context.Context, c caller, of func(string) string) error {
	w, err := s.chat(c)
	if err != nil {
		return err
	}
	return w.ReachesTask(ctx, c.me.Name, of("task"))
}

// changesTask lets in people who may write in the conversation of the task that the operation names.
func (s *Server) changesTask(ctx context.Context, c caller, of func(string) string) error {
	w, err := s.chat(c)
	if err != nil {
		return err
	}
	return w.MayChangeTask(ctx, c.me.Name, of("task"))
}

func (s *Server) tasks(d *doors) {
	serve(s, d, MakeTask, s.mayWrite, func(ctx context.Context, c caller, in *MakeTaskInput) (webchat.Task, error) {
		return inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (webchat.Task, error) {
			return w.MakeTask(ctx, c.me.Name, c.credential, j, in.Body)
		})
	})
	serve(s, d, ListTasksIn, s.inReach,
		func(ctx context.Context, c caller, in *TasksInQuery) (webchat.TaskList, error) {
			return inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (webchat.TaskList, error) {
				return w.TasksIn(ctx, c.me.Name, j, in.Done, in.Before)
			})
		})
	serve(s, d, ListTasks, nil, func(ctx context.Context, c caller, in *TasksQuery) (webchat.TaskList, error) {
		w, err := s.chat(c)
		if err != nil {
			return webchat.TaskList{}, err
		}
		return w.Tasks(ctx, c.me.Name, in.Which, in.Before)
	})
	serve(s, d, GetTask, s.seesTask, func(ctx context.Context, c caller, in *OneTask) (webchat.Task, error) {
		w, err := s.chat(c)
		if err != nil {
			return webchat.Task{}, err
		}
		return w.TaskOf(ctx, c.me.Name, in.Task)
	})
	serve(s, d, ChangeTask, s.changesTask,
		func(ctx context.Context, c caller, in *ChangeTaskInput) (webchat.Task, error) {
			w, err := s.chat(c)
			if err != nil {
				return webchat.Task{}, err
			}
			return w.ChangeTask(ctx, c.me.Name, c.credential, in.Task, in.Body)
		})
	act(s, d, DeleteTask, s.seesTask, func(ctx context.Context, c caller, in *OneTask) error {
		w, err := s.chat(c)
		if err != nil {
			return err
		}
		return w.DeleteTask(ctx, c.me.Name, in.Task)
	})
}
