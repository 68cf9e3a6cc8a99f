using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Ferry.Cluster.Diagnosis;
using k8s;
using k8s.Autorest;
using k8s.Exceptions;
using k8s.Models;

namespace Ferry.Cluster.Containers;

/// <summary>The pods of one namespace, by the API server that kubeconfig names.</summary>
public sealed class KubernetesPods : IDisposable
{
    private const string FilesVariable = "KUBECONFIG";

    private static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(20);

    private readonly Kubernetes _client;

    private KubernetesPods(Kubernetes client, string @namespace)
    {
        (_client, Namespace) = (client, @namespace);
    }

    public string Namespace { get; }

    /// <param name="context">Of kubeconfig; null: the current one, or the pod's own account inside a cluster.</param>
    /// <param name="namespace">Null: that of the context, else <c>default</c>.</param>
    /// <exception cref="ContainerException">There is no configuration, or no such context.</exception>
    public static KubernetesPods Connect(string? context, string? @namespace)
    {
        try
        {
            // As kubectl does; the client's own way reads the file in the home directory alone.
            var file = (Environment.GetEnvironmentVariable(FilesVariable) ?? "").Split(Path.PathSeparator).FirstOrDefault(File.Exists);
            var configuration = file is not null ? KubernetesClientConfiguration.BuildConfigFromConfigFile(new FileInfo(file), context)
                : context is null && KubernetesClientConfiguration.IsInCluster() ? KubernetesClientConfiguration.InClusterConfig()
                : KubernetesClientConfiguration.BuildConfigFromConfigFile(currentContext: context);
            return new KubernetesPods(new Kubernetes(configuration), @namespace ?? configuration.Namespace ?? "default");
        }
        catch (Exception exception) when (exception is KubeConfigException or IOException or UnauthorizedAccessException or FormatException)
        {
            throw new ContainerException($"Kubernetes cannot be asked: {exception.Message.TrimEnd('.')}. Set {FilesVariable}, or name a context with --context.", exception);
        }
    }

    /// <summary>Running pods whose labels hold all of <paramref name="labels"/>, by name.</summary>
    /// <exception cref="ContainerException">The API server does not answer or refuses.</exception>
    public async Task<IReadOnlyList<V1Pod>> FindAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) => await AskAsync(async token =>
    {
        var selector = string.Join(',', labels.Select(label => $"{label.Key}={label.Value}"));
        var found = await _client.CoreV1.ListNamespacedPodAsync(Namespace, labelSelector: selector.Length > 0 ? selector : null, cancellationToken: token);
        return (IReadOnlyList<V1Pod>)[.. found.Items.Where(pod => pod.Status?.Phase == "Running").OrderBy(pod => pod.Metadata.Name, StringComparer.Ordinal)];
    }, $"the pods of namespace {Namespace}", cancellationToken);

    /// <summary>Runs a program inside a pod.</summary>
    /// <param name="container">Null: the pod's first.</param>
    /// <exception cref="ContainerException">There is no such pod, or it may not be entered, or the program did not end in time.</exception>
    public async Task<CommandResult> RunAsync(string pod, string? container, IReadOnlyList<string> command, CancellationToken cancellationToken) => await AskAsync(async token =>
    {
        var (output, error) = ("", "");
        var status = await _client.NamespacedPodExecAsync(pod, Namespace, container, command, false, async (stdin, stdout, stderr) =>
        {
            stdin.Close();
            var texts = await Task.WhenAll(ReadAsync(stdout, token), ReadAsync(stderr, token));
            (output, error) = (texts[0], texts[1]);
        }, token);
        return new CommandResult(status, output, error);
    }, $"'{string.Join(' ', command)}' in pod {Namespace}/{pod}", cancellationToken);

    /// <summary>A pod's log, ready to be read once.</summary>
    /// <param name="window">How far back by the node's clock; null: from its first line.</param>
    /// <exception cref="ContainerException">There is no such pod, or its log may not be read.</exception>
    public async Task<Stream> OpenLogAsync(string pod, string? container, int? tail, TimeSpan? window, CancellationToken cancellationToken) => await AskAsync(
        _ => _client.CoreV1.ReadNamespacedPodLogAsync(
            pod, Namespace, container: container, tailLines: tail, timestamps: true,
            sinceSeconds: window is { } length ? (int)Math.Clamp(Math.Ceiling(length.TotalSeconds), 1, int.MaxValue) : null, cancellationToken: cancellationToken),
        $"the log of pod {Namespace}/{pod}", cancellationToken);

    public void Dispose() => _client.Dispose();

    private static async Task<string> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var text = new MemoryStream();
        var buffer = new byte[16 << 10];
        while (await stream.ReadAsync(buffer, cancellationToken) is var count and > 0)
        {
            text.Write(buffer, 0, text.Length < CommandResult.OutputCharsMax ? count : 0);
        }
        return Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
    }

    private static async Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> ask, string what, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(CommandTimeout);
        try
        {
            return await ask(deadline.Token);
        }
        catch (HttpOperationException exception)
        {
            throw new ContainerException($"{what}: {(int)exception.Response.StatusCode} {SecretMask.Apply(exception.Response.Content is { Length: > 0 and < 2000 } content ? content : exception.Message)}", exception);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ContainerException($"{what}: no answer within {CommandTimeout.TotalSeconds} s.", exception);
        }
        catch (Exception exception) when (exception is HttpRequestException or WebSocketException or IOException or SocketException or KubernetesException)
        {
            throw new ContainerException($"{what}: {exception.GetBaseException().Message}", exception);
        }
    }
}
