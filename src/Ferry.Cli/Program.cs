using Ferry.Cli;
using Ferry.Cli.Commands;

// One line a command: its file in Commands creates it.
return await FerryCommandLine.RunAsync(
    args,
    [
        CacheCommand.Create(),
        ChatCommand.Create(),
        KeysCommand.Create(),
        RouteCommand.Create(),
        ServeCommand.Create(),
        UpCommand.Create(),
    ],
    Console.Out, Console.Error, CancellationToken.None);
