using System.Diagnostics;
using System.Net.Sockets;

namespace Ferry.Cluster.Containers;

/// <summary>Brings the socket of another host's Docker engine here: each connection is an <c>ssh HOST docker system dial-stdio</c>, as Docker's own client does it.</summary>
/// <remarks>Keys, known hosts and jump hosts are those of the user's ssh configuration; ssh never asks for a password.</remarks>
internal sealed class SshDockerTunnel : IAsyncDisposable
{
    private const int Backlog = 16;
    private const int BufferBytes = 64 << 10;

    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly string _directory;
    private readonly Uri _host;
    private readonly Task _accepting;
    private readonly List<Task> _connections = [];

    private SshDockerTunnel(Uri host)
    {
        _host = host;
        _directory = Directory.CreateTempSubdirectory("ferry-docker-").FullName;   // Readable by this user only.
        var socket = Path.Combine(_directory, "s");
        _listener.Bind(new UnixDomainSocketEndPoint(socket));
        _listener.Listen(Backlog);
        Endpoint = new Uri("unix://" + socket);
        _accepting = AcceptAsync();
    }

    public Uri Endpoint { get; }

    /// <summary>What ssh last complained about; empty when it did not.</summary>
    public string LastError { get; private set; } = "";

    /// <param name="host"><c>ssh://[USER@]HOST[:PORT]</c>.</param>
    public static SshDockerTunnel Open(Uri host) => new(host);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        Task[] connections;
        lock (_connections)
        {
            connections = [.. _connections];
        }
        await Task.WhenAll(connections);
        Directory.Delete(_directory, recursive: true);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var near = await _listener.AcceptAsync(_stop.Token);
                lock (_connections)
                {
                    _connections.RemoveAll(task => task.IsCompleted);
                    _connections.Add(RelayAsync(near));
                }
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task RelayAsync(Socket near)
    {
        await using var stream = new NetworkStream(near, ownsSocket: true);
        using var ssh = new Process { StartInfo = Command() };
        try
        {
            ssh.Start();
            var errors = ssh.StandardError.ReadToEndAsync(_stop.Token);
            var forth = CopyAsync(stream, ssh.StandardInput.BaseStream);
            var back = CopyAsync(ssh.StandardOutput.BaseStream, stream);
            await Task.WhenAny(forth, back);
            if (back.IsCompleted)
            {
                LastError = (await errors).Trim() is { Length: > 0 } said ? said.Split('\n')[^1] : LastError;
            }
            else
            {
                ssh.StandardInput.Close();   // The client closed its half; the answer may still be under way.
                await back;
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            LastError = exception is System.ComponentModel.Win32Exception ? "the program ssh is not installed here" : LastError;
        }
        finally
        {
            End(ssh);
        }
    }

    private ProcessStartInfo Command()
    {
        var start = new ProcessStartInfo("ssh") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        string[] options = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-T"];
        Array.ForEach(options, start.ArgumentList.Add);
        if (_host.Port > 0)
        {
            start.ArgumentList.Add("-p");
            start.ArgumentList.Add(_host.Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
        if (_host.UserInfo.Length > 0)
        {
            start.ArgumentList.Add("-l");
            start.ArgumentList.Add(Uri.UnescapeDataString(_host.UserInfo));
        }
        string[] target = ["--", _host.Host, "docker", "system", "dial-stdio"];
        Array.ForEach(target, start.ArgumentList.Add);
        return start;
    }

    private async Task CopyAsync(Stream from, Stream to)
    {
        var buffer = new byte[BufferBytes];
        try
        {
            while (await from.ReadAsync(buffer, _stop.Token) is var count and > 0)
            {
                await to.WriteAsync(buffer.AsMemory(0, count), _stop.Token);
                await to.FlushAsync(_stop.Token);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The end of a connection: whoever waits for its answer hears of it there.
        }
    }

    private static void End(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (Exception exception) when (exception is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It never started, or has ended.
        }
    }
}
