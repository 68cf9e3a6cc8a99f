using System.Diagnostics;
using System.Globalization;

namespace Ferry.Benchmarks.Router;

/// <summary>A server that is measured from outside: its processor time and its memory. Stops with this object.</summary>
internal sealed class MeasuredProcess : IDisposable
{
    private readonly Process _process;

    private MeasuredProcess(Process process) => _process = process;

    public static MeasuredProcess Start(string program, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        var one = new MeasuredProcess(process);
        process.OutputDataReceived += (_, line) => one.Last = line.Data ?? one.Last;
        process.ErrorDataReceived += (_, line) => one.Last = line.Data ?? one.Last;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return one;
    }

    /// <summary>One of this program's own hidden roles.</summary>
    public static MeasuredProcess StartRole(params string[] arguments) => Start("dotnet", ["exec", typeof(MeasuredProcess).Assembly.Location, .. arguments]);

    /// <summary>The last line that it printed.</summary>
    public string Last { get; private set; } = "";

    /// <summary>Of the process and its children, all threads, to the nanosecond.</summary>
    public TimeSpan Cpu() => Family().Aggregate(TimeSpan.Zero, (sum, id) => sum + ProcessCpuClock.Of(id));

    /// <summary>Of the thread that compiles anew what is used often.</summary>
    public TimeSpan CompilingCpu() => CompilingThread.CpuOf(_process.Id);

    /// <summary>Resident memory of the process and its children.</summary>
    public long Rss() => Family().Sum(id => ReadOrEmpty($"/proc/{id}/status").Split('\n').Where(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
        .Sum(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024));

    public async Task WaitForPortAsync(int port)
    {
        for (var count = 0; count < 300; count++)
        {
            if (_process.HasExited)
            {
                throw new InvalidOperationException($"{_process.StartInfo.FileName} ended with {_process.ExitCode}: {Last}");
            }
            try
            {
                using var probe = new System.Net.Sockets.TcpClient();
                await probe.ConnectAsync(System.Net.IPAddress.Loopback, port);
                return;
            }
            catch (System.Net.Sockets.SocketException)
            {
                await Task.Delay(100);
            }
        }
        throw new TimeoutException($"{_process.StartInfo.FileName} does not listen on {port}: {Last}");
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }
        _process.Dispose();
    }

    private IEnumerable<int> Family() =>
        [_process.Id, .. ReadOrEmpty($"/proc/{_process.Id}/task/{_process.Id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];

    private static string ReadOrEmpty(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (IOException)
        {
            return "";   // a thread that has just ended
        }
    }
}
