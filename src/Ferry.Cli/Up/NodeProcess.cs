using System.Diagnostics;

namespace Ferry.Cli.Up;

/// <summary>A running <c>ferry</c> process. It stops when its standard input closes, so it never outlives its parent.</summary>
internal sealed class NodeProcess : IAsyncDisposable
{
    private const int TailLines = 40; // What fits on a screen when a start fails.

    private static readonly TimeSpan StopWait = TimeSpan.FromSeconds(10);

    private readonly Process _process;
    private readonly StreamWriter? _log;
    private readonly Queue<string> _tail = new();
    private bool _disposed;

    private NodeProcess(NodeSpec spec, Process process, StreamWriter? log)
    {
        Spec = spec;
        _process = process;
        _log = log;
    }

    public NodeSpec Spec { get; }

    public int ProcessId => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>The last lines that it printed.</summary>
    public string Tail
    {
        get
        {
            lock (_tail)
            {
                return string.Join(Environment.NewLine, _tail);
            }
        }
    }

    /// <param name="logFile">Where its output goes as well, or null.</param>
    public static NodeProcess Start(NodeSpec spec, string? logFile)
    {
        var start = new ProcessStartInfo
        {
            FileName = Environment.ProcessPath ?? "dotnet",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        if (Path.GetFileNameWithoutExtension(start.FileName) != "ferry")
        {
            start.FileName = "dotnet"; // Under 'dotnet exec ferry.dll', or under a test host.
            start.ArgumentList.Add("exec");
            start.ArgumentList.Add(typeof(NodeProcess).Assembly.Location);
        }
        foreach (var argument in spec.Arguments)
        {
            start.ArgumentList.Add(argument);
        }
        foreach (var (name, value) in spec.Environment)
        {
            start.Environment[name] = value;
        }
        var log = logFile is null ? null : new StreamWriter(logFile) { AutoFlush = true };
        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        var node = new NodeProcess(spec, process, log);
        process.OutputDataReceived += (_, line) => node.Note(line.Data);
        process.ErrorDataReceived += (_, line) => node.Note(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return node;
    }

    public Task WaitForExitAsync(CancellationToken cancellationToken) => _process.WaitForExitAsync(cancellationToken);

    /// <summary>Ends it without asking, as a crash would.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Asks it to stop by closing its input, and ends it if it does not within ten seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }
        _disposed = true;
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has closed its end already: it is gone, or going.
        }
        using (var patience = new CancellationTokenSource(StopWait))
        {
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
                await _process.WaitForExitAsync(CancellationToken.None);
            }
        }
        _process.Dispose();
        lock (_tail)
        {
            _log?.Dispose();
        }
    }

    private void Note(string? line)
    {
        if (line is null)
        {
            return;
        }
        lock (_tail)
        {
            _tail.Enqueue(line);
            if (_tail.Count > TailLines)
            {
                _tail.Dequeue();
            }
            if (!_disposed)
            {
                _log?.WriteLine(line);
            }
        }
    }
}
