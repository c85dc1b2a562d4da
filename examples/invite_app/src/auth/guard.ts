// A visitor without a membership is refused, whatever invite they hold.
export const guard = (user: User) => (user.membership ? 200 : 403);
