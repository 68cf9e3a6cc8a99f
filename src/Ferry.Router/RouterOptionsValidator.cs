using System.Net;
using Ferry.Router.Configuration;
using Ferry.Router.Discovery;
using Ferry.Router.Forwarding;

namespace Ferry.Router;

/// <summary>Checks router options: all errors at once, each with the value, the limit and the way out.</summary>
public static class RouterOptionsValidator
{
    public static IReadOnlyList<string> Validate(RouterOptions options)
    {
        var errors = new List<string>();
        foreach (var setting in RouterSettings.All)
        {
            if (setting.Check(options) is { } wrong)
            {
                errors.Add($"{setting.Flag} {wrong}");
            }
        }
        CheckTogether(errors, options);
        return errors;
    }

    /// <summary>What no single setting shows.</summary>
    internal static void CheckTogether(List<string> errors, RouterOptions options)
    {
        CheckNodes(errors, "--prefill", options.Prefill);
        CheckNodes(errors, "--decode", options.Decode);
        var discovers = options.NodesFile.Length > 0;
        if (options.Decode.Count == 0 && !discovers && options.DecodeDns.Length == 0 && options.DecodeService.Length == 0)
        {
            errors.Add("--decode is missing: at least one decode node must be named, for example --decode http://10.0.0.2:8000.");
        }
        if (options.Prefill.Count == 0 && !discovers && options.PrefillDns.Length == 0 && options.PrefillService.Length == 0)
        {
            errors.Add("--prefill is missing: at least one prefill node must be named, for example --prefill http://10.0.0.1:8000.");
        }
        if (options.AdminPort >= 0 && options.AdminTokenFile.Length == 0 && !(IPAddress.TryParse(options.AdminHost, out var address) ? IPAddress.IsLoopback(address) : options.AdminHost == "localhost"))
        {
            errors.Add($"--admin-host is {options.AdminHost}, which others can reach, and there is no --admin-token-file. Name one, or listen on 127.0.0.1.");
        }
        if (options.AdminPort > 0 && options.AdminPort == options.Port)
        {
            errors.Add($"--admin-port is {options.AdminPort}, the port of the router itself. Take another one.");
        }
        if (options.KubernetesApi.Length > 0 && options.PrefillService.Length + options.DecodeService.Length == 0)
        {
            errors.Add("--kubernetes-api has no effect without --prefill-service or --decode-service. Name a service, or remove it.");
        }
        ForwardingOptionsValidator.CheckTogether(errors, options);
    }

    internal static void CheckNodes(List<string> errors, string name, IReadOnlyList<NodeSpec> nodes)
    {
        foreach (var node in nodes)
        {
            var address = node.Address;
            if (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https") || address.PathAndQuery != "/" || address.UserInfo.Length > 0)
            {
                errors.Add($"{name} {address}: a node is http://HOST:PORT or https://HOST:PORT, without path and user.");
            }
        }
        foreach (var twice in nodes.GroupBy(node => node.Address).Where(group => group.Count() > 1))
        {
            errors.Add($"{name} {twice.Key} is named twice.");
        }
    }
}
