using System.Text.Json;
using Ferry.Cli.Client;
using Spectre.Console;

namespace Ferry.Cli.Up;

/// <summary>Starts the cluster, sends the first hand-over through it, accounts for it, and stays up.</summary>
internal sealed class UpRunner(UpOptions options, IAnsiConsole console, TextWriter jsonOutput, TimeProvider time)
{
    private const int AnswerTokensMax = 32; // The answers are a few words.

    private readonly AccountWriter _writer = new(console);

    /// <returns>The exit code: 0 when KV crossed and its checksums held.</returns>
    /// <exception cref="UpException">A node did not start or died, or no KV was handed over.</exception>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var document = DemoDocument.Load(options.Model);
        Directory.CreateDirectory(options.LogDirectory);
        var plan = ClusterPlan.Create(options);
        using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        await using var cluster = new Cluster(http, time, options.LogDirectory);
        var started = time.GetTimestamp();
        var router = await StartAsync(cluster, plan, http, cancellationToken);
        var startTime = time.GetElapsedTime(started);
        _writer.Nodes(cluster.Nodes, startTime);

        var client = new FerryClient(http, plan.RouterUrl, time);
        var model = await client.FirstModelAsync(cancellationToken);
        await WarmUpAsync(client, model, document, cancellationToken);
        _writer.Document(document);
        var first = await AskAsync(client, model, document, 0, plan.Prefill, plan.Decode, "Question 1", cancellationToken);
        var second = await AskAsync(client, model, document, 1, plan.Prefill, plan.Decode, "Question 2", cancellationToken);
        _writer.Comparison(first, second);
        HandOverAccount? shared = null;
        if (plan.SecondPrefill is { } fresh)
        {
            router = await StartFreshNodeAsync(cluster, plan, fresh, router, client, model, document, cancellationToken);
            shared = await AskAsync(client, model, document, document.Questions.Count > 2 ? 2 : 0, fresh, plan.Decode, "Question 3", cancellationToken);
            await ReplaceRouterAsync(cluster, router, plan.Router(plan.Prefill, fresh), cancellationToken);
        }
        if (options.Json)
        {
            var nodes = cluster.Nodes.Select(node => new UpNode(node.Spec.Name, node.Spec.Shape, node.Spec.Url, node.ProcessId)).ToArray();
            await jsonOutput.WriteLineAsync(JsonSerializer.Serialize(
                new UpReport(plan.RouterUrl, nodes, startTime.TotalSeconds, first, second, shared), JsonOutput.Format));
        }
        if (!options.Once)
        {
            _writer.Stays(plan.RouterUrl, model, options.LogDirectory);
            await StayAsync(cluster, http, cancellationToken);
        }
        return 0;
    }

    private async Task<NodeProcess> StartAsync(Cluster cluster, ClusterPlan plan, HttpClient http, CancellationToken cancellationToken)
    {
        console.MarkupLine("  [bold]Ferry[/] [grey]starts a prefill node, a decode node and a router on this machine.[/]");
        var nodes = new[] { cluster.Start(plan.Prefill), cluster.Start(plan.Decode), cluster.Start(plan.Router(plan.Prefill)) };
        var waiting = AllReadyAsync(cluster, nodes, cancellationToken);
        using var shown = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var view = new LiveView(console, http, time).ShowStartAsync(nodes, shown.Token);
        try
        {
            await waiting;
        }
        finally
        {
            await shown.CancelAsync();
            await view;
        }
        return nodes[2];
    }

    /// <summary>Ends at the first node that fails: the others would be waited for in vain.</summary>
    private static async Task AllReadyAsync(Cluster cluster, IReadOnlyList<NodeProcess> nodes, CancellationToken cancellationToken)
    {
        await foreach (var ready in Task.WhenEach(nodes.Select(node => cluster.WaitReadyAsync(node, cancellationToken))))
        {
            await ready;
        }
    }

    /// <summary>
    /// One request through both legs, so that the account times the work and not the compilation of the code that does it. Its first
    /// message differs, so no chunk of it has the hash of a chunk of the story.
    /// </summary>
    private static Task<ChatTurn> WarmUpAsync(FerryClient client, string model, DemoDocument document, CancellationToken cancellationToken) =>
        client.ChatAsync(model, [new ChatMessage("system", "Warm-up."), new ChatMessage("user", document.Prompt(0))], AnswerTokensMax, 0, _ => { }, cancellationToken);

    /// <summary>A second prefill node, its memory empty, stands alone behind the router for one question: what it need not compute it found in the shared store.</summary>
    private async Task<NodeProcess> StartFreshNodeAsync(
        Cluster cluster, ClusterPlan plan, NodeSpec fresh, NodeProcess router, FerryClient client, string model, DemoDocument document, CancellationToken cancellationToken)
    {
        console.WriteLine();
        console.MarkupLineInterpolated($"  [bold]{fresh.Name}[/] [grey]starts with nothing in memory; the shared store is {options.SharedDirectory}.[/]");
        await cluster.WaitReadyAsync(cluster.Start(fresh), cancellationToken);
        var alone = await ReplaceRouterAsync(cluster, router, plan.Router(fresh), cancellationToken);
        await WarmUpAsync(client, model, document, cancellationToken);
        console.WriteLine();
        return alone;
    }

    private static async Task<NodeProcess> ReplaceRouterAsync(Cluster cluster, NodeProcess router, NodeSpec next, CancellationToken cancellationToken)
    {
        await cluster.StopAsync(router);
        var started = cluster.Start(next);
        await cluster.WaitReadyAsync(started, cancellationToken);
        return started;
    }

    private async Task<HandOverAccount> AskAsync(
        FerryClient client, string model, DemoDocument document, int question, NodeSpec prefill, NodeSpec decode, string title, CancellationToken cancellationToken)
    {
        var turn = await client.ChatAsync(model, [new ChatMessage("user", document.Prompt(question))], AnswerTokensMax, 0, _ => { }, cancellationToken);
        var account = HandOverAccount.From(document.Questions[question].Question, document.Questions[question].Answer, turn);
        _writer.Question(title, account, prefill, decode);
        if (account.Failure() is { } failure)
        {
            throw new UpException($"The hand-over did not happen: {failure}. Logs: {options.LogDirectory}");
        }
        return account.Route.Contains($"prefill={prefill.Url.Authority} ", StringComparison.Ordinal)
            ? account
            : throw new UpException($"The prompt should have gone to {prefill.Name} at {prefill.Url.Authority}, but the router says: {account.Route}");
    }

    private async Task StayAsync(Cluster cluster, HttpClient http, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var view = new LiveView(console, http, time).RunAsync(cluster.Nodes, stop.Token);
        var exit = cluster.FirstExitAsync(stop.Token);
        try
        {
            await await Task.WhenAny(view, exit);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            console.WriteLine();
            console.MarkupLine("  [grey]Stopping.[/]");
            return;
        }
        finally
        {
            await stop.CancelAsync();
        }
        var dead = await exit;
        throw new UpException($"{dead.Spec.Name} ended with exit code {dead.ExitCode}. It printed:{Environment.NewLine}{dead.Tail}");
    }
}
