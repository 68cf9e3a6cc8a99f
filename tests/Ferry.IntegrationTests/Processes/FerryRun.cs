using System.Diagnostics;

namespace Ferry.IntegrationTests.Processes;

/// <summary>A <c>ferry</c> command that runs to its end.</summary>
internal sealed record FerryRun(int ExitCode, string Output, string Error)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    public static Task<FerryRun> RunAsync(params string[] arguments) => RunAsync(arguments, null);

    public static async Task<FerryRun> RunAsync(string[] arguments, IReadOnlyDictionary<string, string>? environment)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(typeof(Cli.Up.NodeProcess).Assembly.Location);
        Array.ForEach(arguments, start.ArgumentList.Add);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(Deadline);
        var output = process.StandardOutput.ReadToEndAsync(patience.Token);
        var error = process.StandardError.ReadToEndAsync(patience.Token);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"'ferry {string.Join(' ', arguments)}' did not end within {Deadline.TotalMinutes} minutes.");
        }
        return new FerryRun(process.ExitCode, await output, await error);
    }
}
