using System.Diagnostics;
using System.Globalization;
using System.Text;
using Ferry.Cluster.Containers;

namespace Ferry.Cluster.Verification.Access;

/// <summary>A process of this machine, known by the port it listens on, with its children.</summary>
internal sealed class LocalAccess(int port, TimeProvider time) : INodeAccess
{
    private const int AppendFlag = 0x400;   // O_APPEND of fcntl.h, on x64 and arm64.

    private static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(20);

    public string Description => string.Create(CultureInfo.InvariantCulture, $"the process at port {port} of this machine");

    public async Task<CommandResult> RunAsync(IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return new CommandResult(CommandResult.NotFound, "", $"{command[0]}: not installed here");
        }
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(CommandTimeout);
        using (process)
        {
            try
            {
                process.StandardInput.Close();
                var output = ReadAsync(process.StandardOutput, deadline.Token);
                var error = ReadAsync(process.StandardError, deadline.Token);
                await process.WaitForExitAsync(deadline.Token);
                return new CommandResult(process.ExitCode, await output, await error);
            }
            catch (OperationCanceledException exception)
            {
                process.Kill(entireProcessTree: true);
                cancellationToken.ThrowIfCancellationRequested();
                throw new ContainerException($"'{string.Join(' ', command)}' did not end within {CommandTimeout.TotalSeconds} s.", exception);
            }
        }
    }

    public Task<IReadOnlyList<NodeProcess>> ProcessesAsync(CancellationToken cancellationToken)
    {
        var owner = PortOwner.Find(port) ?? throw new ContainerException($"No process of this machine listens on port {port}, or its owner is another user's (then run ferry verify as root).");
        return Task.FromResult(ProcessListing.ReadLocal(PortOwner.WithChildren(owner)));
    }

    public async Task<NodeLog> OpenLogAsync(DateTimeOffset? since, CancellationToken cancellationToken)
    {
        var owner = PortOwner.Find(port) ?? throw new ContainerException($"No process of this machine listens on port {port}.");
        // A process started with its output redirected to a file has its log there; one on a terminal or a pipe has none that can be read.
        foreach (var descriptor in (int[])[2, 1])
        {
            var link = new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/{owner}/fd/{descriptor}")).LinkTarget;
            if (link is not null && link.StartsWith('/') && !link.StartsWith("/dev/", StringComparison.Ordinal) && File.Exists(link))
            {
                // A file that is appended to may begin with an earlier run; one that is not was empty when the process started.
                var from = since ?? (IsAppended(owner, descriptor) ? StartOf(owner) : null);
                var file = new FileStream(link, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0, FileOptions.SequentialScan);
                if (from is { } moment)
                {
                    file.Position = await LogStart.FindAsync(file, moment, time.GetUtcNow(), ZoneOf(owner), cancellationToken);
                }
                return new NodeLog(file, from is { } known ? NodeLog.Since(known, since is null) : NodeLog.ItsStart);
            }
        }
        throw new AccessUnsupportedException($"{Description} writes its log to a terminal or a pipe, not to a file.");
    }

    private static bool IsAppended(int id, int descriptor)
    {
        var flags = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/fdinfo/{descriptor}")).FirstOrDefault(line => line.StartsWith("flags:", StringComparison.Ordinal));
        return flags is not null && (Convert.ToInt32(flags["flags:".Length..].Trim(), 8) & AppendFlag) != 0;
    }

    private static DateTimeOffset StartOf(int id)
    {
        using var process = Process.GetProcessById(id);
        // A line of the same second as the start has no fraction in most logs.
        return new DateTimeOffset(process.StartTime).AddSeconds(-1);
    }

    /// <summary>The zone in which the process writes times that name none.</summary>
    private static TimeZoneInfo ZoneOf(int id) =>
        ProcessListing.ReadLocal([id]) is [{ Environment: { } variables }] && variables.TryGetValue("TZ", out var name) && TimeZoneInfo.TryFindSystemTimeZoneById(name.TrimStart(':'), out var zone)
            ? zone : TimeZoneInfo.Local;

    private static async Task<string> ReadAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        var buffer = new char[8192];
        while (await reader.ReadAsync(buffer, cancellationToken) is var count and > 0)
        {
            text.Append(buffer, 0, text.Length < CommandResult.OutputCharsMax ? count : 0);
        }
        return text.ToString();
    }
}
