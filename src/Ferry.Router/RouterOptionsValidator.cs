using Ferry.Router.Forwarding;
using Ferry.Router.Policies;

namespace Ferry.Router;

/// <summary>Checks router options: all errors at once, each with the value, the limit and the way out.</summary>
public static class RouterOptionsValidator
{
    public static IReadOnlyList<string> Validate(RouterOptions options)
    {
        var errors = new List<string>();
        CheckNodes(errors, "--prefill", options.Prefill);
        CheckNodes(errors, "--decode", options.Decode);
        if (options.Decode.Count == 0)
        {
            errors.Add("--decode is missing: at least one decode node must be named, for example --decode http://10.0.0.2:8000.");
        }
        if (options.Prefill.Count == 0)
        {
            errors.Add("--prefill is missing: at least one prefill node must be named, for example --prefill http://10.0.0.1:8000.");
        }
        CheckRange(errors, "--port", options.Port, 0, 65535);
        CheckRange(errors, "--max-in-flight", options.MaxInFlight, 1, 1 << 20);
        CheckRange(errors, "--max-body-bytes", options.MaxBodyBytes, 1024, 1L << 30);
        ForwardingOptionsValidator.Validate(options, errors);
        if (!NodePolicies.Names.Contains(options.Policy))
        {
            errors.Add($"--policy is '{options.Policy}'; it must be one of {string.Join(", ", NodePolicies.Names)}.");
        }
        return errors;
    }

    private static void CheckNodes(List<string> errors, string flag, IReadOnlyList<Uri> nodes)
    {
        foreach (var node in nodes)
        {
            if (!node.IsAbsoluteUri || node.Scheme is not ("http" or "https") || node.PathAndQuery != "/" || node.UserInfo.Length > 0)
            {
                errors.Add($"{flag} {node}: a node is http://HOST:PORT or https://HOST:PORT, without path and user.");
            }
        }
        foreach (var twice in nodes.GroupBy(node => node).Where(group => group.Count() > 1))
        {
            errors.Add($"{flag} {twice.Key} is named twice.");
        }
    }

    private static void CheckRange(List<string> errors, string flag, double value, double minimum, double maximum)
    {
        if (!(value >= minimum && value <= maximum))
        {
            errors.Add($"{flag} is {value}; it must lie in {minimum}..{maximum}.");
        }
    }
}
