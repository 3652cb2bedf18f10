//! One kubeconfig.

use super::KubeconfigError;
use super::yaml::Yaml;

/// A kubeconfig, with everything in it that we do not know.
#[derive(Clone, PartialEq)]
pub struct Document(Yaml);

/// A list of named things in a kubeconfig.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Clusters,
    Users,
    Contexts,
}

impl Section {
    fn list(self) -> &'static str {
        match self {
            Self::Clusters => "clusters",
            Self::Users => "users",
            Self::Contexts => "contexts",
        }
    }

    /// The member of each of its items beside the name.
    fn item(self) -> &'static str {
        match self {
            Self::Clusters => "cluster",
            Self::Users => "user",
            Self::Contexts => "context",
        }
    }
}

impl Default for Document {
    /// An empty one.
    fn default() -> Self {
        Self(Yaml::map([("apiVersion", Yaml::text("v1")), ("kind", Yaml::text("Config"))]))
    }
}

impl Document {
    /// Reads a kubeconfig. An empty text is an empty one.
    ///
    /// # Errors
    /// When it is no kubeconfig.
    pub fn parse(text: &str) -> Result<Self, KubeconfigError> {
        let read: Yaml = serde_saphyr::from_str(text).map_err(|error| KubeconfigError::Yaml {
            // The library's own message would quote the file.
            line: error.location().map(|location| location.line()),
        })?;
        match read {
            Yaml::Null => Ok(Self::default()),
            Yaml::Map(_) => {
                let document = Self(read);
                for section in [Section::Clusters, Section::Users, Section::Contexts] {
                    document.items(section)?;
                }
                Ok(document)
            }
            _ => Err(KubeconfigError::Shape("the whole")),
        }
    }

    /// The text of the kubeconfig.
    ///
    /// # Errors
    /// When a value has no form in YAML.
    pub fn text(&self) -> Result<String, KubeconfigError> {
        // Certificates are one long line, as everybody writes them.
        let options = serde_saphyr::ser_options! { prefer_block_scalars: false, compact_list_indent: true };
        serde_saphyr::to_string_with_options(&self.0, options).map_err(|_| KubeconfigError::Unwritable)
    }

    /// The name of the context in use, if the file names one.
    pub fn current(&self) -> Option<&str> {
        self.0.get("current-context")?.as_text().filter(|name| !name.is_empty())
    }

    /// Names the context in use.
    pub(super) fn set_current(&mut self, context: &str) {
        self.0.set("current-context", Yaml::text(context));
    }

    /// The named thing, without its name.
    pub(super) fn find(&self, section: Section, name: &str) -> Option<&Yaml> {
        let items = self.items(section).unwrap_or_default();
        items.iter().find(|item| is_called(item, name))?.get(section.item())
    }

    /// Puts a named thing where one of this name stands, or at the end. What else is said of it stays.
    pub(super) fn put(&mut self, section: Section, name: &str, value: Yaml) {
        let mut items = self.items(section).unwrap_or_default().to_vec();
        match items.iter_mut().find(|item| is_called(item, name)) {
            Some(there) => there.set(section.item(), value),
            None => items.push(Yaml::map([("name", Yaml::text(name)), (section.item(), value)])),
        }
        self.0.set(section.list(), Yaml::List(items));
    }

    /// Nothing and `null` are an empty list.
    fn items(&self, section: Section) -> Result<&[Yaml], KubeconfigError> {
        match self.0.get(section.list()) {
            None | Some(Yaml::Null) => Ok(&[]),
            Some(Yaml::List(items)) => Ok(items),
            Some(_) => Err(KubeconfigError::Shape(section.list())),
        }
    }
}

fn is_called(item: &Yaml, name: &str) -> bool {
    item.get("name").and_then(Yaml::as_text) == Some(name)
}
