using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Docker.DotNet;
using Docker.DotNet.Models;
using Ferry.Cluster.Diagnosis;

namespace Ferry.Cluster.Containers;

/// <summary>A Docker engine: on this machine by its socket, on another by ssh or tcp.</summary>
public sealed class DockerEngine : IAsyncDisposable
{
    public const string DefaultEndpoint = "unix:///var/run/docker.sock";

    /// <summary>A program that a probe runs answers within this, or the probe could not run.</summary>
    private static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(20);

    private readonly DockerClient _client;
    private readonly SshDockerTunnel? _tunnel;

    private DockerEngine(DockerClient client, SshDockerTunnel? tunnel, string endpoint)
    {
        (_client, _tunnel, Endpoint) = (client, tunnel, endpoint);
    }

    /// <summary>As it was given.</summary>
    public string Endpoint { get; }

    /// <summary>Whether it runs on this machine, so that its containers' processes are in this machine's /proc.</summary>
    public bool IsLocal => Endpoint.StartsWith("unix:", StringComparison.Ordinal);

    /// <param name="endpoint"><c>unix://PATH</c>, <c>ssh://[USER@]HOST[:PORT]</c> or <c>tcp://HOST:PORT</c>; null: DOCKER_HOST, else the local socket.</param>
    /// <exception cref="ContainerException">The engine does not answer.</exception>
    public static async Task<DockerEngine> ConnectAsync(string? endpoint, CancellationToken cancellationToken)
    {
        endpoint ??= Environment.GetEnvironmentVariable("DOCKER_HOST") is { Length: > 0 } host ? host : DefaultEndpoint;
        if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) || uri.Scheme is not ("unix" or "ssh" or "tcp" or "http" or "https"))
        {
            throw new ContainerException($"'{endpoint}' is no address of a Docker engine; give unix://PATH, ssh://[USER@]HOST[:PORT] or tcp://HOST:PORT.");
        }
        if (uri.UserInfo.Contains(':', StringComparison.Ordinal))
        {
            throw new ContainerException($"The address of the Docker engine at {uri.Host} holds a password; ssh takes keys: give {uri.Scheme}://USER@HOST.");
        }
        var tunnel = uri.Scheme == "ssh" ? SshDockerTunnel.Open(uri) : null;
        try
        {
            using var configuration = new DockerClientConfiguration(tunnel?.Endpoint ?? uri);
            var engine = new DockerEngine(configuration.CreateClient(), tunnel, endpoint);
            await engine.AskAsync(token => engine._client.System.PingAsync(token), $"the Docker engine at {endpoint}", cancellationToken);
            return engine;
        }
        catch
        {
            if (tunnel is not null)
            {
                await tunnel.DisposeAsync();
            }
            throw;
        }
    }

    /// <summary>Runs a program inside a container.</summary>
    /// <exception cref="ContainerException">The container is not there or does not run, or the program did not end in time.</exception>
    public async Task<CommandResult> RunAsync(string container, IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        var what = $"'{string.Join(' ', command)}' in container {container}";
        return await AskAsync(async token =>
        {
            var created = await _client.Exec.ExecCreateContainerAsync(container, new ContainerExecCreateParameters { Cmd = [.. command], AttachStdout = true, AttachStderr = true }, token);
            using var stream = await _client.Exec.StartAndAttachContainerExecAsync(created.ID, false, token);
            var (output, error) = await ReadAsync(stream, token);
            var ended = await _client.Exec.InspectContainerExecAsync(created.ID, token);
            // The OCI runtime says so on the program's own output and ends with 126 or 127.
            var isMissing = ended.ExitCode is 126 or 127 && (output + error).Contains("executable file not found", StringComparison.Ordinal);
            return new CommandResult(isMissing ? CommandResult.NotFound : (int)ended.ExitCode, isMissing ? "" : output, isMissing ? $"{command[0]}: not in the image" : error);
        }, what, cancellationToken);
    }

    /// <summary>A container's log, ready to be read once.</summary>
    /// <param name="tail">Lines from the end; null: all.</param>
    /// <param name="since">By the engine's clock; null: from its first line.</param>
    /// <exception cref="ContainerException">There is no such container, or its log driver keeps nothing that can be read.</exception>
    public async Task<Stream> OpenLogAsync(string container, int? tail, DateTimeOffset? since, CancellationToken cancellationToken) => await AskAsync(async token =>
    {
        var inspected = await _client.Containers.InspectContainerAsync(container, token);
        var parameters = new ContainerLogsParameters
        {
            ShowStdout = true,
            ShowStderr = true,
            Timestamps = true,
            Tail = tail?.ToString(CultureInfo.InvariantCulture) ?? "all",
            Since = since is { } moment ? string.Create(CultureInfo.InvariantCulture, $"{moment.ToUnixTimeSeconds()}.{moment.Ticks % TimeSpan.TicksPerSecond:0000000}") : null,
        };
        return (Stream)new DockerLogStream(await _client.Containers.GetContainerLogsAsync(container, inspected.Config.Tty, parameters, cancellationToken));
    }, $"the log of container {container}", cancellationToken);

    /// <exception cref="ContainerException">There is no such container.</exception>
    public async Task<ContainerInspectResponse> InspectAsync(string container, CancellationToken cancellationToken) =>
        await AskAsync(token => _client.Containers.InspectContainerAsync(container, token), $"container {container}", cancellationToken);

    /// <summary>Process ids of a container's processes, as its engine's host counts them.</summary>
    public async Task<IReadOnlyList<int>> ProcessesAsync(string container, CancellationToken cancellationToken) => await AskAsync(async token =>
    {
        var listed = await _client.Containers.ListProcessesAsync(container, new ContainerListProcessesParameters { PsArgs = "-eo pid" }, token);
        return (IReadOnlyList<int>)[.. listed.Processes.Select(row => int.Parse(row[0], CultureInfo.InvariantCulture))];
    }, $"the processes of container {container}", cancellationToken);

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        if (_tunnel is not null)
        {
            await _tunnel.DisposeAsync();
        }
    }

    private async Task AskAsync(Func<CancellationToken, Task> ask, string what, CancellationToken cancellationToken) => await AskAsync(async token =>
    {
        await ask(token);
        return true;
    }, what, cancellationToken);

    private async Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> ask, string what, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(CommandTimeout);
        try
        {
            return await ask(deadline.Token);
        }
        catch (DockerContainerNotFoundException exception)
        {
            throw new ContainerException($"{what}: no such container at {Endpoint}. `docker ps -a` lists them.", exception);
        }
        catch (DockerApiException exception)
        {
            throw new ContainerException($"{what}: {SecretMask.Apply(exception.ResponseBody?.Trim() ?? exception.Message)}", exception);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ContainerException($"{what}: no answer within {CommandTimeout.TotalSeconds} s{Said()}.", exception);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or SocketException or TimeoutException)
        {
            throw new ContainerException($"{what}: {exception.GetBaseException().Message}{Said()}. Is the engine running, and may this user use it?", exception);
        }
    }

    private string Said() => _tunnel?.LastError is { Length: > 0 } said ? $" (ssh: {said})" : "";

    private static async Task<(string Output, string Error)> ReadAsync(MultiplexedStream stream, CancellationToken cancellationToken)
    {
        var (output, error) = (new MemoryStream(), new MemoryStream());
        var buffer = new byte[32 << 10];
        while (await stream.ReadOutputAsync(buffer, 0, buffer.Length, cancellationToken) is { EOF: false } read)
        {
            var to = read.Target == MultiplexedStream.TargetStream.StandardError ? error : output;
            if (to.Length < CommandResult.OutputCharsMax)
            {
                to.Write(buffer, 0, read.Count);
            }
        }
        return (Encoding.UTF8.GetString(output.GetBuffer(), 0, (int)output.Length), Encoding.UTF8.GetString(error.GetBuffer(), 0, (int)error.Length));
    }
}
