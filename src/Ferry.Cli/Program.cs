using Ferry.Cli;
using Ferry.Cli.Commands;

// One line a command: its file in Commands creates it.
return await FerryCommandLine.RunAsync(
    args,
    [
        ChatCommand.Create(),
        KeysCommand.Create(),
        UpCommand.Create(),
    ],
    Console.Out, Console.Error, CancellationToken.None);
