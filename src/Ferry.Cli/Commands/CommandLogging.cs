using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

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

    public static void Configure(ILoggingBuilder logging, LogLevel level)
    {
        logging.SetMinimumLevel(level);
        // The server's own chatter is of no use to whoever runs a node.
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss.fff ";
            console.ColorBehavior = LoggerColorBehavior.Disabled;
        });
        logging.Services.Configure(static (ConsoleLoggerOptions console) => console.LogToStandardErrorThreshold = LogLevel.Trace);
    }

    /// <summary>Null: no such level.</summary>
    public static LogLevel? Parse(string name) => Levels.TryGetValue(name, out var level) ? level : null;
}
