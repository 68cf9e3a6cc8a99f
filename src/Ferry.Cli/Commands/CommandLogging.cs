using Ferry.Cli.Logs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ferry.Cli.Commands;

/// <summary>Logs of long-running commands: one line each, on standard error, so that standard output stays for results.</summary>
internal static class CommandLogging
{
    private static readonly Dictionary<string, LogLevel> Levels = new(StringComparer.OrdinalIgnoreCase)
    {
        ["trace"] = LogLevel.Trace,
        ["debug"] = LogLevel.Debug,
        ["information"] = LogLevel.Information,
        ["info"] = LogLevel.Information,
        ["warning"] = LogLevel.Warning,
        ["error"] = LogLevel.Error,
    };

    public static void Configure(ILoggingBuilder logging, LogLevel level, LogFormat format = LogFormat.Text)
    {
        logging.SetMinimumLevel(level);
        // The server's own chatter is of no use to whoever runs a node.
        logging.AddFilter("Microsoft", LogLevel.Warning);
        // By a factory, so that the container owns it: the last lines are written when the program ends.
        logging.Services.AddSingleton<ILoggerProvider>(_ => new LineLog(Console.OpenStandardError(), format, TimeProvider.System));
    }

    /// <summary>Null: no such level.</summary>
    public static LogLevel? Parse(string name) => Levels.TryGetValue(name, out var level) ? level : null;
}
