using System.CommandLine;
using Ferry.Cli.Commands;

var root = new RootCommand("Ferry: stores, converts, moves and proves KV cache between unlike accelerators.");
foreach (var command in (Command[])
[
    ChatCommand.Create(),
    UpCommand.Create(),
])
{
    root.Subcommands.Add(command);
}
return await root.Parse(args).InvokeAsync();
