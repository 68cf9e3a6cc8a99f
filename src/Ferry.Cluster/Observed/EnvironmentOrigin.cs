namespace Ferry.Cluster.Observed;

/// <summary>Where a variable of a process is set.</summary>
internal enum EnvironmentOrigin
{
    /// <summary><c>docker run -e</c>.</summary>
    DockerFlag,

    /// <summary><c>export NAME=value</c> in a script, or <c>NAME=value command</c>.</summary>
    Shell,

    /// <summary>An env file: <c>--env-file</c>, <c>env_file:</c>, or a <c>.env</c> given alone.</summary>
    EnvFile,
    Compose,

    /// <summary><c>env:</c> of a Kubernetes container.</summary>
    Kubernetes,
    ConfigMap,
    KubernetesSecret,

    /// <summary>The environment of a pool in <c>ferry.yaml</c>.</summary>
    FerryYaml,
}
