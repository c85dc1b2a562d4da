export async function accept(invite: Invite, user: User) {
  await join(invite, user);
  return redirect("/workspace/setup"); // SSO creates the membership a moment later
}
