using System.CommandLine;

var root = new RootCommand("Ferry: stores, converts, moves and proves KV cache between unlike accelerators.");
foreach (var command in (Command[])
[
])
{
    root.Subcommands.Add(command);
}
return await root.Parse(args).InvokeAsync();
