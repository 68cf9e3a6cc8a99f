using Ferry.Cli;
using Ferry.Cli.Commands;
using Ferry.Cli.Commands.Cluster;

// One line a command: its file in Commands creates it.
return await FerryCommandLine.RunAsync(
    args,
    [
        CacheCommand.Create(),
        ChatCommand.Create(),
        DiagnoseCommand.Create(),
        InitCommand.Create(),
        KeysCommand.Create(),
        LintCommand.Create(),
        PlanCommand.Create(),
        RenderCommand.Create(),
        RouteCommand.Create(),
        SchemaCommand.Create(),
        ServeCommand.Create(),
        TransportCommand.Create(),
        UpCommand.Create(),
        VerifyCommand.Create(),
    ],
    Console.Out, Console.Error, CancellationToken.None);
