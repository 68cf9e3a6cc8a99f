using System.Globalization;
using Ferry.Router.Health;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Ferry.Router.Admin;

/// <summary>Takes a node out without losing anything: it gets nothing new, ends what it runs, and keeps the KV that decode nodes still come for.</summary>
internal sealed class NodeDrain(RouterRuntime router, ILogger logger)
{
    /// <summary>POST /admin/nodes/{host:port}/drain?timeout=SECONDS: answers when the node is empty (200), or when the time is over and it goes on (202).</summary>
    public async Task DrainAsync(HttpContext context)
    {
        var nodes = Find(context);
        if (nodes.Count == 0)
        {
            await NotFoundAsync(context);
            return;
        }
        var timeout = router.Options.DrainTimeout;
        if (context.Request.Query["timeout"].FirstOrDefault() is { } text)
        {
            if (!double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) || seconds > router.Options.DrainTimeout.TotalSeconds)
            {
                await AdminServer.WriteErrorAsync(context, 400, $"timeout is '{text}'; it must lie in 0..{router.Options.DrainTimeout.TotalSeconds} seconds (admin.drainTimeout).");
                return;
            }
            timeout = TimeSpan.FromSeconds(seconds);
        }
        foreach (var node in nodes)
        {
            if (!node.IsDraining) { HealthLog.DrainStarted(logger, node.Role, node.Name); }
            node.IsDraining = true;
        }
        var isEmpty = true;
        foreach (var node in nodes)
        {
            var emptied = await router.Leases.WaitAsync(node, timeout, context.RequestAborted);
            if (emptied) { HealthLog.Drained(logger, node.Role, node.Name); }
            isEmpty &= emptied;
        }
        await AdminServer.WriteAsync(context, isEmpty ? 200 : 202, AdminState.WriteNodes(router, nodes));
    }

    /// <summary>POST /admin/nodes/{host:port}/undrain: the node takes work again.</summary>
    public async Task UndrainAsync(HttpContext context)
    {
        var nodes = Find(context);
        if (nodes.Count == 0)
        {
            await NotFoundAsync(context);
            return;
        }
        foreach (var node in nodes) { node.IsDraining = false; }
        await AdminServer.WriteAsync(context, 200, AdminState.WriteNodes(router, nodes));
    }

    private List<Node> Find(HttpContext context)
    {
        var id = (string?)context.Request.RouteValues["id"];
        return [.. router.Nodes.Current.Nodes.Where(node => node.Name == id)];
    }

    private Task NotFoundAsync(HttpContext context) => AdminServer.WriteErrorAsync(
        context, 404, $"There is no node '{context.Request.RouteValues["id"]}'. Nodes are {string.Join(", ", router.Nodes.Current.Nodes.Select(node => node.Name).Distinct())}.");
}
