using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Ferry.TestKit.Lab;

/// <summary>Runs the scripts of tests/lab, which bring up real servers on loopback.</summary>
internal static class LabScript
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);
    private static int _looked;

    /// <exception cref="InvalidOperationException">The script failed; the message holds what it said.</exception>
    public static async Task RunAsync(string name, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("bash", [RepositoryRoot.At("tests", "lab", name), .. arguments]) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var (key, value) in environment)
        {
            start.Environment[key] = value;
        }
        using var process = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(Deadline);
        var said = Task.WhenAll(process.StandardError.ReadToEndAsync(deadline.Token), process.StandardOutput.ReadToEndAsync(deadline.Token));
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new InvalidOperationException($"{name} was not done after {Deadline}.");
        }
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{name} failed: {string.Join(' ', await said)}");
        }
    }

    /// <summary>The first of <paramref name="count"/> ports in a row that are free on loopback, below those that the system gives to clients.</summary>
    public static int FindPorts(int count)
    {
        const int First = 20_000, Last = 31_000;
        for (var tries = 0; tries < 200; tries++)
        {
            // Each call looks further on: what one was given may not be listening yet.
            var start = First + (Environment.ProcessId * 37 + Interlocked.Add(ref _looked, 211)) % (Last - First - count);
            if (Enumerable.Range(start, count).All(IsFree))
            {
                return start;
            }
        }
        throw new InvalidOperationException($"No {count} free ports in a row between {First} and {Last}.");
    }

    public static string OwnerPid => Environment.ProcessId.ToString(CultureInfo.InvariantCulture);

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
