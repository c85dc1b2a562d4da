test("a valid invite lands in workspace setup", async ({ page }) => {
  await page.goto("/invite/valid-token");
  await expect(page).toHaveURL("/workspace/setup");
});
